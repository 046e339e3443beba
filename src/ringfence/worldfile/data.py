"""Things of a world as the data of a world file: mappings, lists and texts, in short forms where these say all."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ringfence.errors import InvalidInput
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import Family
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.profile import PROFILES, Profile
from ringfence.model.rule import NicType, Rule
from ringfence.model.switches import SWITCHES, switch_value
from ringfence.model.topology import Instance, Network, Peering, Port, Subnet, VirtualIp, Vpc
from ringfence.worldfile.instances import SHORT_PORT


def filled(content: dict[str, Any]) -> dict[str, Any]:
    """Without the entries that say nothing."""
    return {key: value for key, value in content.items() if value not in ("", [], {}, None)}


def profile_data(profile: Profile, around: Profile | None) -> dict[str, Any]:
    """Name and switches, as far as they differ from ``around``, the profile that holds where nothing is said."""
    inherited = around is not None and around.name == profile.name
    base = around if inherited and around is not None else PROFILES.get(profile.name)
    if base is None or any(getattr(base, key) != getattr(profile, key) for key in _FIXED):
        raise InvalidInput(f"profile {profile.name!r} cannot be written to a file; use one of {', '.join(PROFILES)}")
    values = {key: getattr(profile, key) for key in SWITCHES}
    switches = {key: switch_value(value) for key, value in values.items() if value != getattr(base, key)}
    return filled({"profile": "" if inherited else profile.name, "switches": switches})


_FIXED = tuple(each.name for each in fields(Profile) if each.name not in SWITCHES and each.name != "name")


def vpc_data(vpc: Vpc, profile: Profile) -> dict[str, Any]:
    """A VPC."""
    content = {
        "cidrs": list(map(str, vpc.cidrs)),
        "subnets": {name: subnet_data(subnet) for name, subnet in vpc.subnets.items()},
        "border": list(map(line_data, vpc.border)),
        "network": vpc.network.value if vpc.network is not Network.VPC else "",
    }
    return filled({**content, **profile_data(vpc.profile, profile)})


def subnet_data(subnet: Subnet) -> str | dict[str, str]:
    """A subnet in its short form where it has one."""
    fields = subnet_fields(subnet)
    return fields if len(fields) > 1 else str(subnet.prefixes[0])


def subnet_fields(subnet: Subnet) -> dict[str, str]:
    """A subnet in its long form."""
    nic = subnet.nic.value if subnet.nic is not NicType.INTRANET else ""
    return filled({"cidr": _text(subnet.cidr), "cidr6": _text(subnet.cidr6), "acl": subnet.acl, "nic": nic})


def _text(value: object) -> str:
    return "" if value is None else str(value)


def peering_data(peering: Peering) -> dict[str, Any]:
    """A peering."""
    lines = list(map(line_data, peering.firewall))
    return filled({"name": peering.name, "vpcs": list(peering.vpcs), "firewall": lines})


def listed_data(it: AddressGroup | PortList) -> list[str] | dict[str, Any]:
    """An address group or port list in its short form where it has one."""
    fields = listed_fields(it)
    entries: list[str] = fields["entries"]
    return fields if len(fields) > 1 else entries


def listed_fields(it: AddressGroup | PortList) -> dict[str, Any]:
    """An address group or port list in its long form."""
    bound = {} if it.max_entries is None else {"max_entries": it.max_entries}
    return {"entries": list(map(str, it.entries)), **bound}


def acl_data(acl: NetworkAcl) -> dict[str, Any]:
    """An ACL."""
    enabled = {} if acl.enabled else {"enabled": False}
    header = filled({"vpc": acl.vpc, "description": acl.description})
    return {**header, **enabled, "rules": list(map(line_data, acl.rules))}


def group_data(group: SecurityGroup) -> dict[str, Any]:
    """A group, in its long form."""
    header = {"vpc": group.vpc, "profile": group.profile, "type": group.type.value, "description": group.description}
    owner = {"tags": dict(group.tags), "account": group.account, "managed": group.managed}
    return {
        **filled({**header, **owner}),
        **({"ftp_helper": True} if group.ftp_helper else {}),
        "intra_group": group.intra_group.value,
        "rules": [rule_data(rule) for rule in group.rules],
    }


def rule_data(rule: Rule) -> str | dict[str, Any]:
    """A rule in its short form where that says all."""
    return rule_fields(rule) if rule.given_id else str(rule)


def rule_fields(rule: Rule) -> dict[str, Any]:
    """A rule in its long form."""
    own = {"remote": str(rule.remote), "local": _text(rule.local), "nic": _text(rule.nic), "managed": rule.managed}
    return {**_common(rule), **filled(own), "priority": rule.priority}


def line_data(rule: AclRule) -> str | dict[str, Any]:
    """A line in its short form where that says all."""
    return line_fields(rule) if rule.given_id or rule.name else str(rule)


def line_fields(rule: AclRule) -> dict[str, Any]:
    """A line in its long form."""
    return {
        **filled({"name": rule.name}),
        **_common(rule),
        "source": str(rule.source),
        "destination": str(rule.destination),
    }


def _common(rule: Rule | AclRule) -> dict[str, Any]:
    direction = rule.direction.word if rule.direction else ""
    ports = {"ports": str(rule.ports), "source_ports": str(rule.source_ports)}
    return {
        **filled({"id": rule.given_id, "direction": direction, **ports, "description": rule.description}),
        "action": rule.action.value,
        "protocol": str(rule.protocol),
        "enabled": rule.enabled,
    }


def instance_data(instance: Instance) -> dict[str, Any]:
    """An instance; one port alone is the instance itself."""
    own = filled({"account": instance.account, "serve": list(map(str, instance.serve))})
    if [port.name for port in instance.ports] == [SHORT_PORT]:
        return {**port_data(instance.primary), **own}
    return {"ports": {port.name: port_data(port) for port in instance.ports}, **own}


def port_data(port: Port) -> dict[str, Any]:
    """A port."""
    more = filled({"namespace": port.namespace, "parent": port.parent, "vlan": port.vlan or None})
    return {**_place(port), "groups": list(port.groups), **more}


def virtual_ip_data(vip: VirtualIp) -> dict[str, Any]:
    """A virtual IP."""
    return {**_place(vip), "ports": list(vip.ports), "active": vip.active}


def _place(owner: Port | VirtualIp) -> dict[str, Any]:
    addresses: dict[str, str | list[str]] = {}
    for key, family in (("ip", Family.IPV4), ("ip6", Family.IPV6)):
        own = [str(address) for address in owner.addresses if address.family is family]
        if own:
            addresses[key] = own if len(own) > 1 else own[0]
    return {"subnet": f"{owner.vpc}/{owner.subnet}", **addresses}
