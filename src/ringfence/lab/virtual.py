"""Virtual IPs of a lab: who has each now, how one is moved, and the watchers that see it happen."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import replace

from ringfence.backends.netns import inside
from ringfence.backends.nftables.names import port_link
from ringfence.errors import CannotRun, UnknownName
from ringfence.lab.claims import announcement
from ringfence.lab.lines import drop_address, take_address
from ringfence.lab.names import LabNames, guest_link
from ringfence.lab.netns import IpRoute
from ringfence.lab.serving import start
from ringfence.model.mac import mac_of
from ringfence.model.topology import Port, VirtualIp
from ringfence.model.world import World, by_name, nearest

WATCHER = "ringfence.lab.watcher"
"""The program that watches; by this word in its command line it is found again."""
_LOG = "watchers.log"
_PATIENCE, _AGAIN = 5.0, 0.25  # seconds: for the watcher to see a move, and until the guest says it again


def holders(world: World, names: LabNames) -> dict[str, str]:
    """The port that has each virtual IP now, by what the watchers wrote down."""
    return {name: _holder(vip, names) for name, vip in world.virtual_ips.items()}


def _holder(vip: VirtualIp, names: LabNames) -> str:
    try:
        holder = names.holder(vip.name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return vip.active
    return holder if holder in vip.ports else vip.active


def as_held(world: World, held: Mapping[str, str]) -> World:
    """The world with its virtual IPs at those ports."""
    if all(held[name] == vip.active for name, vip in world.virtual_ips.items()):
        return world
    return replace(
        world, virtual_ips=by_name(replace(vip, active=held[name]) for name, vip in world.virtual_ips.items())
    )


def keep_held(after: World, filed: World, held: Mapping[str, str]) -> World:
    """What to make of the virtual IPs of another world: a guest that took one keeps it.

    Unless the new world gives it to another port than the one that is ``filed`` did: that is a wish to move it.
    """
    wished = {name: vip.active for name, vip in filed.virtual_ips.items()}
    kept = {
        name: held[name] if wished.get(name) == vip.active and held[name] in vip.ports else vip.active
        for name, vip in after.virtual_ips.items()
    }
    return as_held(after, kept)


def write_holders(before: World, after: World, names: LabNames) -> None:
    """Write down who has each virtual IP whose holder another world changed, or that is new."""
    for name in before.virtual_ips.keys() - after.virtual_ips.keys():
        names.holder(name).unlink(missing_ok=True)
    for name, vip in after.virtual_ips.items():
        if name not in before.virtual_ips or before.virtual_ips[name].active != vip.active:
            names.holder(name).write_text(vip.active, encoding="utf-8")


def watched(world: World, names: LabNames) -> dict[str, str]:
    """What the watcher of each VPC is told, by its name; VPCs without virtual IPs have none."""
    told: dict[str, list[object]] = {}
    for vip in world.virtual_ips.values():
        ports = {port_link(port): port for port in sorted(vip.ports)}
        holder = str(names.holder(vip.name))
        told.setdefault(vip.vpc, []).append(
            {"addresses": list(map(str, vip.addresses)), "ports": ports, "holder": holder}
        )
    return {
        vpc: json.dumps({"namespace": names.vpc(vpc), "virtual_ips": each}, sort_keys=True)
        for vpc, each in told.items()
    }


def start_watchers(told: dict[str, str], names: LabNames) -> None:
    """Start watchers and wait until they watch; raises `CannotRun`."""
    commands = {}
    for vpc, text in told.items():
        names.watch(vpc).write_text(text, encoding="utf-8")
        commands[names.vpc(vpc)] = [sys.executable, "-I", "-m", WATCHER, str(names.watch(vpc))]
    for namespace, reason in start(commands, names.directory / _LOG).items():
        raise CannotRun(f"nobody watches the virtual IPs of {namespace}: {reason}")


def move(world: World, names: LabNames, name: str, to_port: str) -> None:
    """Move a virtual IP as guests do: one gives it up, the other takes it and says so to the network.

    ``to_port`` is ``instance`` or ``instance.port``. Raises `UnknownName`, and `CannotRun` if the network does not
    follow.
    """
    vip = world.virtual_ips.get(name)
    if vip is None:
        raise UnknownName(f"there is no virtual IP {name!r}", nearest(name, world.virtual_ips))
    old, new = world.port_by_name[vip.active], _candidate(world, vip, to_port)
    ip = IpRoute()
    if old is not new:
        ip.run((drop_address(it, old) for it in vip.addresses), names.guest(*old.guest), whatever_is_there=True)
    ip.run((take_address(it, new) for it in vip.addresses), names.guest(*new.guest))
    _announce(vip, new, names)


def _candidate(world: World, vip: VirtualIp, name: str) -> Port:
    found = world.resolve(name)
    if str(found) not in vip.ports:
        raise UnknownName(f"{found} is not behind virtual IP {vip}", f"name one of {', '.join(vip.ports)}")
    assert isinstance(found, Port)
    return found


def _announce(vip: VirtualIp, port: Port, names: LabNames) -> None:
    """Have the new guest say it until the watcher has seen it."""
    link, mac = guest_link(port.name), bytes.fromhex(mac_of(port).replace(":", ""))
    deadline = time.monotonic() + _PATIENCE
    with inside(names.guest(*port.guest)):
        speaking = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with speaking:
        while time.monotonic() < deadline:
            for address in vip.addresses:
                speaking.sendto(announcement(address, mac), (link, 0))
            if _is_held_by(vip, port, names):
                return
    raise CannotRun(f"the network does not lead {vip} to {port}: see {names.directory / _LOG}")


def _is_held_by(vip: VirtualIp, port: Port, names: LabNames) -> bool:
    until = time.monotonic() + _AGAIN
    while _holder(vip, names) != str(port) and time.monotonic() < until:
        time.sleep(0.002)
    return _holder(vip, names) == str(port)
