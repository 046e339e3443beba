"""Changing the wiring of a lab that is up, around the moment in which its policy changes.

What goes is unplugged before the new policy is in force, what comes is plugged after: no link is ever up without the
policy that judges it. A change that was cut short, by a kill or a failure, leaves its draft of the world file; the next
one then takes nothing of what it finds for granted, and plugs everything anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from ringfence import worldfile
from ringfence.errors import WorldFileError
from ringfence.lab import conntrack
from ringfence.lab.names import LabNames
from ringfence.lab.netns import IpRoute, end_inhabitants, is_whole, named, remove
from ringfence.lab.parts import namespaces, parts
from ringfence.lab.serving import LISTENER, listeners, start_listeners
from ringfence.lab.topology import furnish, make_namespaces
from ringfence.lab.virtual import WATCHER, start_watchers, watched, write_holders
from ringfence.lab.wiring import Part, missing, plug, unplug
from ringfence.model.address import Address
from ringfence.model.world import World

Key = TypeVar("Key")
Value = TypeVar("Value")


class Rewiring:
    """The way from one world (None: there is no lab yet) to another."""

    def __init__(self, before: World | None, after: World, names: LabNames) -> None:
        self._before = before or World()
        self.after = after
        """The world to come."""
        self._names = names
        there = parts(before, names) if before else ()
        wanted = parts(after, names)
        self.gone: list[Part] = missing(there, wanted)
        """What is unplugged."""
        self.fresh: list[Part] = missing(wanted, there)
        """What is plugged."""
        self._doubtful = before is not None and names.draft.exists()
        if self._doubtful:
            self.gone, self.fresh = [*there, *missing(_drafted(names), there)], list(wanted)

    def told(self) -> list[str]:
        """What is plugged and unplugged, in words."""
        gone, fresh = ([part.name for part in parts if part.name] for parts in (self.gone, self.fresh))
        anew = sorted({*gone} & {*fresh})
        return [
            *(f"unplug {name}" for name in gone if name not in anew),
            *(f"plug {name}" for name in fresh if name not in anew),
            *(f"plug {name} anew" for name in anew),
        ]

    @contextmanager
    def around(self, text: str, ip: IpRoute) -> Iterator[None]:
        """Unplug, have the block put the policy in force, plug; and keep ``text``, the new world file.

        If the block fails, what was unplugged is plugged again. Raises `CannotRun`.
        """
        self._names.draft.write_text(text, encoding="utf-8")
        self._make_namespaces(ip)
        self._end_programs()
        unplug(self.gone, ip, doubtful=self._doubtful)
        try:
            self._forget_connections()
            yield
        except BaseException:
            if not self._doubtful:
                self._take_back(ip)
            raise
        plug(self.fresh, ip)
        self._remove_namespaces(self.after, ip)
        write_holders(World() if self._doubtful else self._before, self.after, self._names)
        self._start_programs(self._before, self.after)
        self._names.draft.rename(self._names.world)

    def _make_namespaces(self, ip: IpRoute) -> None:
        """Make those that are not there. One that a kill left may be no namespace at all, or not furnished."""
        there = {name: is_whole(name) for name in named(self._names.prefix)}
        remove([name for name, whole in there.items() if not whole], ip)
        wanted = namespaces(self.after, self._names)
        make_namespaces([name for name in wanted if not there.get(name)], self.after, self._names, ip)
        furnish(wanted if self._doubtful else (), self.after, self._names)

    def _take_back(self, ip: IpRoute) -> None:
        self._remove_namespaces(self._before, ip)
        plug(self.gone, ip)
        self._start_programs(self.after, self._before)
        self._names.draft.unlink()

    def _end_programs(self) -> None:
        """End what listens or watches and will do otherwise."""
        before, after, there = self._before, self.after, named(self._names.prefix)
        served = _different(listeners(before, self._names), listeners(after, self._names))
        watching = map(self._names.vpc, _different(watched(before, self._names), watched(after, self._names)))
        end_inhabitants(there if self._doubtful else served, LISTENER)
        end_inhabitants(there if self._doubtful else watching, WATCHER)

    def _start_programs(self, old: World, new: World) -> None:
        ended = World() if self._doubtful else old
        start_listeners(_different(listeners(new, self._names), listeners(ended, self._names)), self._names)
        start_watchers(_different(watched(new, self._names), watched(ended, self._names)), self._names)

    def _forget_connections(self) -> None:
        """A connection to an address is none to whoever has the address next."""
        for vpc in self._before.vpcs.keys() & self.after.vpcs.keys():
            changed = _different(_owners(self._before, vpc), _owners(self.after, vpc))
            if changed:
                conntrack.forget_addresses(self._names.vpc(vpc), changed)

    def _remove_namespaces(self, world: World, ip: IpRoute) -> None:
        """Remove those that a world does not have, with all who live there."""
        unwanted = sorted({*named(self._names.prefix)} - {*namespaces(world, self._names)})
        end_inhabitants(unwanted)
        remove(unwanted, ip)


def _drafted(names: LabNames) -> tuple[Part, ...]:
    """What a change that was cut short may have plugged; nothing if it had not even written its draft."""
    try:
        return parts(worldfile.parse(names.draft.read_text(encoding="utf-8"), str(names.draft)), names)
    except WorldFileError:
        return ()


def _owners(world: World, vpc: str) -> dict[Address, str]:
    """Which port has each address of a VPC."""
    own = {address: str(port) for port in world.ports if port.vpc == vpc for address in port.addresses}
    vips = (vip for vip in world.virtual_ips.values() if vip.vpc == vpc)
    return own | {address: vip.active for vip in vips for address in vip.addresses}


def _different(one: Mapping[Key, Value], two: Mapping[Key, Value]) -> dict[Key, Value]:
    """What the first says and the second does not."""
    return {key: value for key, value in one.items() if two.get(key) != value}
