"""Supplementary interfaces: ports that hang off another port of their instance by a VLAN (SEMANTICS.md 5)."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.topology import Instance, Port
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope

VLANS = range(1, 4095)
"""What a VLAN may be (IEEE 802.1Q)."""
_CODE = "world.supplementary"


def supplementary_problems(scope: Scope) -> Iterator[Problem]:
    """Ports that hang off none, or not as they may; and VLANs without a port that they are of."""
    for instance in scope.instances:
        seen: dict[tuple[str, int], Port] = {}
        for port in instance.ports:
            if port.parent or port.vlan:
                path: Path = ("instances", instance.name, "ports", port.name)
                yield from _port_problems(instance, port, path)
                first = seen.setdefault((port.parent, port.vlan), port)
                if first is not port:
                    what = f"{first} has VLAN {port.vlan} of {port.parent} already"
                    yield Problem((*path, "vlan"), "world.duplicate", what, "choose another VLAN")


def _port_problems(instance: Instance, port: Port, path: Path) -> Iterator[Problem]:
    parent = instance.by_name.get(port.parent)
    if not port.parent:
        what = f"{port} has VLAN {port.vlan}, and hangs off no port"
        yield Problem((*path, "vlan"), _CODE, what, "name the port as parent, or leave the VLAN out")
    elif parent is None or parent.parent:
        what = f"{port} cannot hang off {port.parent!r}: it is no port of {instance} that has a wire of its own"
        yield Problem((*path, "parent"), _CODE, what, "name another port of the instance")
    elif port is instance.primary:
        yield Problem((*path, "parent"), _CODE, f"{port} is the primary port", "hang off it, not it off another")
    elif (port.vpc, port.namespace) != (parent.vpc, parent.namespace):
        what = f"{port} is in another VPC or namespace of the guest than {parent}, which it hangs off"
        yield Problem((*path, "parent"), _CODE, what, "use a port of the same")
    if port.parent and port.vlan not in VLANS:
        what = f"{port} has VLAN {port.vlan}"
        yield Problem((*path, "vlan"), _CODE, what, f"use {VLANS.start} to {VLANS.stop - 1}")
