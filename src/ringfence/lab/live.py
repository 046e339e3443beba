"""What a change of policy does to live connections, in one VPC or in a whole lab: told before, and done after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Passage:
    """A change of what is enforced that is about to be made, and nobody else is changing anything."""

    filed: World | None
    """The world that was asked for last; None if that is not known."""
    before: World | None
    """The world in force: that one, with virtual IPs where they are."""
    begun: tuple[World, ...]
    """Worlds that changes were leading to which were broken off: the policy of one may be in force."""
    after: World
    """The world to come."""
    around: Callable[[], AbstractContextManager[None]]
    """To be entered once while the policy is switched: it plugs, unplugs and keeps what has to be kept."""


class VpcConnections:
    """The connections that live in a VPC just before a change. Make it, switch the policy, `cut`, and `close`.

    ``changes`` are those that lead to the policy to come: from the one in force, and from others that may have been in
    force since connections were last cut.
    """

    def __init__(
        self, vpc: str, namespace: str, changes: Sequence[LiveChange], table: conntrack.Table | None = None
    ) -> None:
        """With a ``table`` the switch need not wait until connections are read, and there is no preview.

        They are read after the switch only, and what begins meanwhile is heard of. If that is too much to remember, it
        is taken for what was there before.
        """
        self._vpc, self._namespace, self._changes, self._table = vpc, namespace, changes, table
        self._known = {} if table else {it.handle: it.connection for it in conntrack.entries(namespace, vpc)}
        if table:
            table.listen()

    def preview(self) -> list[Cut]:
        """What the change cuts, if it comes now."""
        return _living(filter(None, map(self._cut, self._known.values())))

    def cut(self, driver: Driver) -> list[Cut]:
        """Cut them, now that the new policy is in force, and tell which; ``driver`` is the VPC's.

        Keys are held before entries are deleted: there is no moment in which a packet passes.
        """
        entries = self._table.entries() if self._table else conntrack.entries(self._namespace, self._vpc)
        known = {handle: self._cut(it) for handle, it in self._before(entries).items()}
        late = {it.handle: self._late(it.connection) for it in entries if it.handle not in known}
        cuts = {it: cut for it in entries if (cut := known.get(it.handle) or late.get(it.handle))}
        driver.hold({cut.connection: cut.hold for cut in cuts.values() if cut.hold})
        if cuts:
            conntrack.delete(self._namespace, cuts)
        return [*_living(filter(None, known.values())), *_living(filter(None, late.values()))]

    def close(self) -> None:
        """Stop listening."""
        if self._table:
            self._table.ignore()

    def _before(self, entries: Iterable[Entry]) -> Mapping[bytes, Connection]:
        """The connections that lived before the change, by handle."""
        if self._table is None:
            return self._known
        born = self._table.born() or frozenset()
        return {it.handle: it.connection for it in entries if it.handle not in born}

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


class LiveConnections:
    """The same for all VPCs of a lab.

    If a change is broken off after the switch, the next change, to the same world or to another, does what is left to
    do: what began under the world that was to come is judged as well.
    """

    def __init__(self, before: World, after: World, names: LabNames) -> None:
        changes = [LiveChange(world, after) for world in (before, *half_enforced(names))]
        there = before.vpcs.keys() & after.vpcs.keys()
        vpcs = sorted({vpc for change in changes for vpc in change.vpcs if vpc in there})
        self._vpcs = {vpc: VpcConnections(vpc, names.vpc(vpc), changes) for vpc in vpcs}

    def preview(self) -> list[Cut]:
        """What the change cuts, if it comes now."""
        return [cut for vpc in self._vpcs.values() for cut in vpc.preview()]

    def cut(self, driver: Callable[[str], Driver]) -> list[Cut]:
        """Cut them, and tell which: see `VpcConnections.cut`; ``driver`` gives that of a VPC."""
        return [cut for name, vpc in self._vpcs.items() for cut in vpc.cut(driver(name))]


def half_enforced(names: LabNames) -> list[World]:
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
