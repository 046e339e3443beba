"""Supplementary interfaces: ports that hang off another port of their instance by a VLAN (SEMANTICS.md 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ringfence.model.topology import Port
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope

VLANS = range(1, 4095)
"""What a VLAN may be (IEEE 802.1Q)."""
_CODE = "world.supplementary"


Placed = tuple[Path, Port]


def supplementary_problems(scope: Scope) -> Iterator[Problem]:
    """Ports that hang off none, or not as they may; and VLANs without a port that they are of."""
    for instance in scope.instances:
        path: Path = ("instances", instance.name, "ports")
        ports = [((*path, port.name), port) for port in instance.ports]
        yield from _problems(ports, instance.by_name, str(instance), instance.primary if instance.ports else None)
    hanging = scope.hanging
    if hanging:
        spare = scope.world.detached
        near = {name: spare[name].port for name in {it.port.parent for it in hanging} if name in spare}
        yield from _problems([(("detached", it.name), it.port) for it in hanging], near, "no instance")


def _problems(
    ports: Iterable[Placed], near: Mapping[str, Port], home: str, primary: Port | None = None
) -> Iterator[Problem]:
    """What is wrong with ports of one home, an instance or none; ``near`` has those that they may hang off."""
    seen: dict[tuple[str, int], Port] = {}
    for path, port in ports:
        if port.parent or port.vlan:
            if port is primary and port.parent:
                what = f"{port} is the primary port"
                yield Problem((*path, "parent"), _CODE, what, "hang off it, not it off another")
            else:
                yield from _port_problems(port, near.get(port.parent), home, path)
            first = seen.setdefault((port.parent, port.vlan), port)
            if first is not port:
                what = f"{first} has VLAN {port.vlan} of {port.parent} already"
                yield Problem((*path, "vlan"), "world.duplicate", what, "choose another VLAN")


def _port_problems(port: Port, parent: Port | None, home: str, path: Path) -> Iterator[Problem]:
    if not port.parent:
        what = f"{port} has VLAN {port.vlan}, and hangs off no port"
        yield Problem((*path, "vlan"), _CODE, what, "name the port as parent, or leave the VLAN out")
        return
    if parent is None or parent.parent:
        what = f"{port} cannot hang off {port.parent!r}: it is no port of {home} that has a wire of its own"
        yield Problem((*path, "parent"), _CODE, what, "name another port of the same")
    elif (port.vpc, port.namespace) != (parent.vpc, parent.namespace):
        what = f"{port} is in another VPC or namespace of the guest than {parent}, which it hangs off"
        yield Problem((*path, "parent"), _CODE, what, "use a port of the same")
    if port.vlan not in VLANS:
        what = f"{port} has VLAN {port.vlan}"
        yield Problem((*path, "vlan"), _CODE, what, f"use {VLANS.start} to {VLANS.stop - 1}")
