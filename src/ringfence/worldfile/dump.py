"""World to text: a world file that reads back as an equal world."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Any

import yaml

from ringfence.errors import InvalidInput
from ringfence.model.group import SecurityGroup
from ringfence.model.profile import PROFILES, Profile
from ringfence.model.rule import Rule
from ringfence.model.topology import Instance, Port, Subnet, Vpc
from ringfence.model.world import World
from ringfence.worldfile.switches import SWITCHES
from ringfence.worldfile.topology import SHORT_PORT


def dump(world: World) -> str:
    """The world as a file. Raises `InvalidInput` if its profile is not a known one with switches set."""
    content: dict[str, Any] = {
        **_profile(world.profile, None),
        "vpcs": {name: _vpc(vpc, world.profile) for name, vpc in world.vpcs.items()},
        "address_groups": {name: list(map(str, group.entries)) for name, group in world.address_groups.items()},
        "groups": {name: _group(group) for name, group in world.groups.items()},
        "instances": {name: _instance(instance) for name, instance in world.instances.items()},
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


def _plain(value: object) -> object:
    return value.value if isinstance(value, StrEnum) else value


def _profile(profile: Profile, around: Profile | None) -> dict[str, Any]:
    """Name and switches, as far as they differ from ``around``, the profile that holds where nothing is said."""
    inherited = around is not None and around.name == profile.name
    base = around if inherited and around is not None else PROFILES.get(profile.name)
    if base is None or any(getattr(base, key) != getattr(profile, key) for key in _FIXED):
        raise InvalidInput(f"profile {profile.name!r} cannot be written to a file; use one of {', '.join(PROFILES)}")
    switches = {key: _plain(value) for key, value in asdict(profile).items() if value != getattr(base, key)}
    return _filled({"profile": "" if inherited else profile.name, "switches": switches})


_FIXED = tuple(key for key in asdict(PROFILES["huawei"]) if key not in SWITCHES and key != "name")


def _vpc(vpc: Vpc, profile: Profile) -> dict[str, Any]:
    subnets = {name: _subnet(subnet) for name, subnet in vpc.subnets.items()}
    return _filled({"cidrs": list(map(str, vpc.cidrs)), "subnets": subnets, **_profile(vpc.profile, profile)})


def _subnet(subnet: Subnet) -> str | dict[str, str]:
    if len(subnet.prefixes) == 1:
        return str(subnet.prefixes[0])
    return {"cidr": str(subnet.cidr), "cidr6": str(subnet.cidr6)}


def _group(group: SecurityGroup) -> dict[str, Any]:
    header = {"vpc": group.vpc, "type": group.type.value, "description": group.description, "tags": dict(group.tags)}
    return {
        **_filled(header),
        "intra_group": group.intra_group.value,
        "rules": [_rule(rule) for rule in group.rules],
    }


def _rule(rule: Rule) -> str | dict[str, Any]:
    if not rule.given_id:
        return str(rule)
    return {
        "id": rule.given_id,
        "direction": rule.direction.word,
        "action": rule.action.value,
        "protocol": str(rule.protocol),
        **({"ports": str(rule.ports)} if rule.ports else {}),
        "remote": str(rule.remote),
        "priority": rule.priority,
        "enabled": rule.enabled,
        "description": rule.description,
    }


def _instance(instance: Instance) -> dict[str, Any]:
    serve = _filled({"serve": list(map(str, instance.serve))})
    if [port.name for port in instance.ports] == [SHORT_PORT]:
        return {**_port(instance.primary), **serve}
    return {"ports": {port.name: _port(port) for port in instance.ports}, **serve}


def _port(port: Port) -> dict[str, Any]:
    keys = {4: "ip", 6: "ip6"}
    addresses = {keys[address.family]: str(address) for address in port.addresses}
    return {"subnet": f"{port.vpc}/{port.subnet}", **addresses, "groups": list(port.groups)}
