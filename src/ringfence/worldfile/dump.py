"""World to text: a world file that reads back as an equal world."""

from __future__ import annotations

from typing import Any

import yaml

from ringfence.model.world import World
from ringfence.worldfile.data import (
    acl_data,
    filled,
    group_data,
    instance_data,
    listed_data,
    peering_data,
    profile_data,
    virtual_ip_data,
    vpc_data,
)


def dump(world: World) -> str:
    """The world as a file. Raises `InvalidInput` if its profile is not a known one with switches set."""
    content: dict[str, Any] = {
        **profile_data(world.profile, None),
        "vpcs": {name: vpc_data(vpc, world.profile) for name, vpc in world.vpcs.items()},
        "peerings": list(map(peering_data, world.peerings.values())),
        "address_groups": {name: listed_data(group) for name, group in world.address_groups.items()},
        "port_lists": {name: listed_data(each) for name, each in world.port_lists.items()},
        "groups": {name: group_data(group) for name, group in world.groups.items()},
        "acls": {name: acl_data(acl) for name, acl in world.acls.items()},
        "instances": {name: instance_data(instance) for name, instance in world.instances.items()},
        "virtual_ips": {name: virtual_ip_data(vip) for name, vip in world.virtual_ips.items()},
        "blocks": {target: penalty.reason for target, penalty in world.penalties.items()},
        "outside": {name: list(map(str, host.addresses)) for name, host in world.outside.items()},
        "expect": list(map(str, world.expects)),
    }
    # No line is folded: one rule, one line.
    return yaml.dump(filled(content), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1 << 20)


class Dumper(yaml.SafeDumper):
    """Escapes what does not print: reading would turn the line breaks of other scripts into plain ones."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


Dumper.add_representer(str, _represent_text)
