"""What a change of policy does to the live connections of a lab: told before it, and done after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ringfence import worldfile
from ringfence.backends.nftables import conntrack
from ringfence.backends.nftables.conntrack import Entry
from ringfence.backends.nftables.driver import Driver
from ringfence.errors import WorldFileError
from ringfence.lab.names import LabNames
from ringfence.lab.virtual import as_held, holders
from ringfence.model.connection import Connection
from ringfence.model.world import World
from ringfence.policy.live import Cut, LiveChange


class LiveConnections:
    """The connections that live in a lab just before a change. Make it, switch the policy, then `cut`.

    If that is broken off after the switch, the next change, to the same world or to another, does what is left to do:
    what began under the world that was to come is judged as well.
    """

    def __init__(self, before: World, after: World, names: LabNames) -> None:
        self._names = names
        self._changes = [LiveChange(world, after) for world in (before, *_half_enforced(names))]
        there = before.vpcs.keys() & after.vpcs.keys()
        vpcs = sorted({vpc for change in self._changes for vpc in change.vpcs if vpc in there})
        self._known = {vpc: {it.handle: self._cut(it.connection) for it in self._entries(vpc)} for vpc in vpcs}

    def preview(self) -> list[Cut]:
        """What the change cuts, if it comes now."""
        return _living(cut for known in self._known.values() for cut in known.values() if cut)

    def cut(self, driver: Callable[[str], Driver]) -> list[Cut]:
        """Cut them, now that the new policy is in force, and tell which; ``driver`` gives that of a VPC.

        Keys are held before entries are deleted: there is no moment in which a packet passes.
        """
        told = self.preview()
        for vpc, known in self._known.items():
            entries = self._entries(vpc)
            late = {it.handle: self._late(it.connection) for it in entries if it.handle not in known}
            cuts = {it: cut for it in entries if (cut := known.get(it.handle) or late.get(it.handle))}
            driver(vpc).hold({cut.connection: cut.hold for cut in cuts.values() if cut.hold})
            conntrack.delete(self._names.vpc(vpc), cuts)
            told += _living(cut for cut in late.values() if cut)
        return told

    def _late(self, connection: Connection) -> Cut | None:
        """What becomes of one that began in between: under the old policy, if the new one does not allow it.

        One that no policy allows began while the gates were at odds: nothing entitles it to live.
        """
        if self._changes[0].allows(connection):
            return None
        if not any(change.allowed(connection) for change in self._changes):
            return Cut(connection, "no policy allows it: it began while the policy changed")
        return self._cut(connection)

    def _cut(self, connection: Connection) -> Cut | None:
        return next(filter(None, (change.cut(connection) for change in self._changes)), None)

    def _entries(self, vpc: str) -> list[Entry]:
        return conntrack.entries(self._names.vpc(vpc), vpc)


def _half_enforced(names: LabNames) -> list[World]:
    """The world to which a change that was broken off was leading: its policy may be in force."""
    try:
        world = worldfile.parse(names.draft.read_text(encoding="utf-8"), str(names.draft))
    except (FileNotFoundError, WorldFileError):  # there is none, or it had not even written down which
        return []
    return [as_held(world, holders(world, names))]


def _living(cuts: Iterable[Cut]) -> list[Cut]:
    """In an order of their own, and without those that had ended and were only remembered."""
    return sorted((cut for cut in cuts if not cut.connection.ended), key=_order)


def _order(cut: Cut) -> tuple[object, ...]:
    it = cut.connection
    return it.vpc, it.source, it.destination, it.protocol, it.destination_port, it.source_port
