"""World to text: a world file that reads back as an equal world."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import yaml

from ringfence.errors import InvalidInput
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import Family
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.profile import PROFILES, Profile
from ringfence.model.rule import NicType, Rule
from ringfence.model.switches import SWITCHES, switch_value
from ringfence.model.topology import Instance, Network, Peering, Port, Subnet, VirtualIp, Vpc
from ringfence.model.world import World
from ringfence.worldfile.instances import SHORT_PORT


def dump(world: World) -> str:
    """The world as a file. Raises `InvalidInput` if its profile is not a known one with switches set."""
    content: dict[str, Any] = {
        **_profile(world.profile, None),
        "vpcs": {name: _vpc(vpc, world.profile) for name, vpc in world.vpcs.items()},
        "peerings": list(map(_peering, world.peerings.values())),
        "address_groups": {name: _listed(group) for name, group in world.address_groups.items()},
        "port_lists": {name: _listed(each) for name, each in world.port_lists.items()},
        "groups": {name: _group(group) for name, group in world.groups.items()},
        "acls": {name: _acl(acl) for name, acl in world.acls.items()},
        "instances": {name: _instance(instance) for name, instance in world.instances.items()},
        "virtual_ips": {name: _virtual_ip(vip) for name, vip in world.virtual_ips.items()},
        "blocks": {target: penalty.reason for target, penalty in world.penalties.items()},
        "outside": {name: list(map(str, host.addresses)) for name, host in world.outside.items()},
        "expect": list(map(str, world.expects)),
    }
    # No line is folded: one rule, one line.
    return yaml.dump(_filled(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 20)


class _Dumper(yaml.SafeDumper):
    """Escapes what does not print: reading would turn the line breaks of other scripts into plain ones."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _represent_text)


def _filled(content: dict[str, Any]) -> dict[str, Any]:
    """Without the entries that say nothing."""
    return {key: value for key, value in content.items() if value not in ("", [], {}, None)}


def _profile(profile: Profile, around: Profile | None) -> dict[str, Any]:
    """Name and switches, as far as they differ from ``around``, the profile that holds where nothing is said."""
    inherited = around is not None and around.name == profile.name
    base = around if inherited and around is not None else PROFILES.get(profile.name)
    if base is None or any(getattr(base, key) != getattr(profile, key) for key in _FIXED):
        raise InvalidInput(f"profile {profile.name!r} cannot be written to a file; use one of {', '.join(PROFILES)}")
    values = {key: getattr(profile, key) for key in SWITCHES}
    switches = {key: switch_value(value) for key, value in values.items() if value != getattr(base, key)}
    return _filled({"profile": "" if inherited else profile.name, "switches": switches})


_FIXED = tuple(each.name for each in fields(Profile) if each.name not in SWITCHES and each.name != "name")


def _vpc(vpc: Vpc, profile: Profile) -> dict[str, Any]:
    content = {
        "cidrs": list(map(str, vpc.cidrs)),
        "subnets": {name: _subnet(subnet) for name, subnet in vpc.subnets.items()},
        "border": list(map(_line, vpc.border)),
        "network": vpc.network.value if vpc.network is not Network.VPC else "",
    }
    return _filled({**content, **_profile(vpc.profile, profile)})


def _subnet(subnet: Subnet) -> str | dict[str, str]:
    nic = subnet.nic.value if subnet.nic is not NicType.INTRANET else ""
    if len(subnet.prefixes) == 1 and not subnet.acl and not nic:
        return str(subnet.prefixes[0])
    return _filled({"cidr": _text(subnet.cidr), "cidr6": _text(subnet.cidr6), "acl": subnet.acl, "nic": nic})


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _peering(peering: Peering) -> dict[str, Any]:
    lines = list(map(_line, peering.firewall))
    return _filled({"name": peering.name, "vpcs": list(peering.vpcs), "firewall": lines})


def _listed(it: AddressGroup | PortList) -> list[str] | dict[str, Any]:
    entries = list(map(str, it.entries))
    return entries if it.max_entries is None else {"entries": entries, "max_entries": it.max_entries}


def _acl(acl: NetworkAcl) -> dict[str, Any]:
    enabled = {} if acl.enabled else {"enabled": False}
    header = _filled({"vpc": acl.vpc, "description": acl.description})
    return {**header, **enabled, "rules": list(map(_line, acl.rules))}


def _group(group: SecurityGroup) -> dict[str, Any]:
    header = {"vpc": group.vpc, "profile": group.profile, "type": group.type.value, "description": group.description}
    owner = {"tags": dict(group.tags), "account": group.account, "managed": group.managed}
    return {
        **_filled({**header, **owner}),
        **({"ftp_helper": True} if group.ftp_helper else {}),
        "intra_group": group.intra_group.value,
        "rules": [_rule(rule) for rule in group.rules],
    }


def _rule(rule: Rule) -> str | dict[str, Any]:
    if not rule.given_id:
        return str(rule)
    own = {"remote": str(rule.remote), "local": _text(rule.local), "nic": _text(rule.nic), "managed": rule.managed}
    return {**_common(rule), **_filled(own), "priority": rule.priority}


def _line(rule: AclRule) -> str | dict[str, Any]:
    if not rule.given_id and not rule.name:
        return str(rule)
    return {
        **_filled({"name": rule.name}),
        **_common(rule),
        "source": str(rule.source),
        "destination": str(rule.destination),
    }


def _common(rule: Rule | AclRule) -> dict[str, Any]:
    direction = rule.direction.word if rule.direction else ""
    ports = {"ports": str(rule.ports), "source_ports": str(rule.source_ports)}
    return {
        **_filled({"id": rule.given_id, "direction": direction, **ports, "description": rule.description}),
        "action": rule.action.value,
        "protocol": str(rule.protocol),
        "enabled": rule.enabled,
    }


def _instance(instance: Instance) -> dict[str, Any]:
    own = _filled({"account": instance.account, "serve": list(map(str, instance.serve))})
    if [port.name for port in instance.ports] == [SHORT_PORT]:
        return {**_port(instance.primary), **own}
    return {"ports": {port.name: _port(port) for port in instance.ports}, **own}


def _port(port: Port) -> dict[str, Any]:
    more = _filled({"namespace": port.namespace, "parent": port.parent, "vlan": port.vlan or None})
    return {**_place(port), "groups": list(port.groups), **more}


def _virtual_ip(vip: VirtualIp) -> dict[str, Any]:
    return {**_place(vip), "ports": list(vip.ports), "active": vip.active}


def _place(owner: Port | VirtualIp) -> dict[str, Any]:
    addresses: dict[str, str | list[str]] = {}
    for key, family in (("ip", Family.IPV4), ("ip6", Family.IPV6)):
        own = [str(address) for address in owner.addresses if address.family is family]
        if own:
            addresses[key] = own if len(own) > 1 else own[0]
    return {"subnet": f"{owner.vpc}/{owner.subnet}", **addresses}
