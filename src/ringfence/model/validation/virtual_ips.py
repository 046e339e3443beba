"""Virtual IPs: the ports behind them."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.topology import VirtualIp
from ringfence.model.validation.addresses import home_problems
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World, nearest


def virtual_ip_problems(scope: Scope) -> Iterator[Problem]:
    """Virtual IPs whose subnet or ports are not there or do not fit, and names that are taken."""
    world = scope.world
    for vip in map(world.virtual_ips.__getitem__, scope.virtual_ips):
        path: Path = ("virtual_ips", vip.name)
        for kind, names in (("an instance", world.instances), ("an outside host", world.outside)):
            if vip.name in names:
                what = f"{vip.name} is {kind} as well"
                yield Problem(path, "world.duplicate", what, "choose another name for one of them")
        if unknown := next(home_problems(world, vip, (*path, "subnet")), None):
            yield unknown
        else:
            yield from _port_problems(world, vip, path)


def _port_problems(world: World, vip: VirtualIp, path: Path) -> Iterator[Problem]:
    where = (*path, "ports")
    if not vip.ports:
        what = f"no port is behind virtual IP {vip.name}"
        yield Problem(where, "world.virtual_ip", what, f"name the ports in subnet {vip.subnet} that may have it")
    elif vip.active not in vip.ports:
        what = f"{vip.active} has virtual IP {vip.name}, and is not one of its ports"
        yield Problem((*path, "active"), "world.virtual_ip", what, f"use one of {', '.join(vip.ports)}")
    for index, name in enumerate(vip.ports):
        if name in vip.ports[:index]:
            yield Problem(
                (*where, index), "world.duplicate", f"virtual IP {vip.name} lists {name} twice", "list it once"
            )
        else:
            yield from _one_port_problems(world, vip, name, (*where, index))


def _one_port_problems(world: World, vip: VirtualIp, name: str, path: Path) -> Iterator[Problem]:
    port = world.port_by_name.get(name)
    if port is None:
        known = [*world.instances, *world.port_by_name]
        yield Problem(path, "world.unknown_port", f"there is no port {name!r}", nearest(name, known))
    elif (port.vpc, port.subnet) != (vip.vpc, vip.subnet):
        what = f"{name} is in {port.vpc}/{port.subnet}, virtual IP {vip.name} in {vip.vpc}/{vip.subnet}"
        yield Problem(path, "world.virtual_ip", what, "name ports of that subnet only")
