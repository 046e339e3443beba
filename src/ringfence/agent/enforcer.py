"""The enforcer: keeps the kernel's policy equal to a world that changes, at the cost of each change.

A change goes through the VPCs in steps: look at the live connections, switch the policy, cut connections, open the
gate. All VPCs take a step before one takes the next, since what two peered VPCs say of a connection has to change
together. What fails in one VPC stops that VPC alone: it is behind, keeps the policy that it has, and the next change
starts there from the whole plan, and judges its connections by all the worlds that may have been in force in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ringfence import garbage
from ringfence.agent.fabric import Fabric
from ringfence.agent.outcome import Enforced, Outcome, Status
from ringfence.backends.nftables import conntrack
from ringfence.backends.nftables.driver import Driver
from ringfence.compile.compiler import Compilation
from ringfence.compile.plan import VpcChange, VpcPlan
from ringfence.lab.live import Passage, VpcConnections
from ringfence.model.edit import Edit
from ringfence.model.topology import Vpc
from ringfence.model.world import World
from ringfence.policy.change import Change
from ringfence.policy.live import Cut, LiveChange

_MOST_WORLDS = 8  # of those that a VPC which fails again and again is judged by: the first, and the last ones


@dataclass(slots=True)
class _Turn:
    """What is done in one VPC for one change."""

    vpc: Vpc
    change: VpcChange | None
    """What to do to its plan; None: apply the whole plan."""
    judges: Sequence[LiveChange]
    """What its live connections are judged by; none if nothing lives there that a change may cut."""
    driver: Driver | None = None
    connections: VpcConnections | None = None
    commands: int = 0
    cuts: Sequence[Cut] = ()
    error: Exception | None = None


class Enforcer:
    """Enforces worlds in a fabric, one after the other. Not for several threads at a time."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self._world: World | None = None
        self._compilation: Compilation | None = None
        self._behind: dict[str, tuple[World, ...]] = {}  # VPCs that failed, and what may have been in force in each
        self.absent: frozenset[str] = frozenset()
        """The VPCs of that world that have no namespace here."""
        self._enforced_by: dict[str, Driver] = {}
        self._tables: dict[str, tuple[Driver, conntrack.Table]] = {}
        self._leaving: frozenset[str] = frozenset()  # VPCs that are no more, and still have our table

    @property
    def world(self) -> World | None:
        """The world that was enforced last, as far as it could be."""
        return self._world

    def plan_of(self, vpc: str) -> VpcPlan | None:
        """The whole plan of a VPC of that world; None before the first. Slow: it looks at every port."""
        return self._compilation.plan_of(vpc) if self._compilation and self._world else None

    def enforce(self, world: World, edits: Sequence[Edit] | None = None) -> Enforced:
        """Enforce a valid world. What fails in a VPC is told and not raised; the others go on.

        ``edits``, in their order, are all that is different from the world before, but for expectations; then it costs
        what the edits touch. None is for any other difference: all is compiled, compared and wired anew where it
        differs. No edits at all is for trying again what has failed. Raises what `Fabric.changing` does.
        """
        began = time.perf_counter()
        with self.fabric.changing(world, self._world, edits) as passage:
            compilation, turns, whole = self._planned(passage, edits)
            try:
                committed = self._pass(passage, turns, compilation, at_once=not whole) - began
            finally:
                _close(turns)
        self._world, self._compilation = world, compilation
        outcomes = {turn.vpc.name: self._settle(turn, passage) for turn in turns}
        if whole or self._leaving:
            outcomes |= self._leave(passage)
        failed = frozenset(self._behind) | self._leaving
        return Enforced(outcomes, whole, failed, self.absent, committed, time.perf_counter() - began)

    def _planned(self, passage: Passage, edits: Sequence[Edit] | None) -> tuple[Compilation, list[_Turn], bool]:
        """What is to be done where, and whether everything was compiled for that."""
        known, self._compilation = self._compilation, None  # unless all goes well
        if known and edits is not None and passage.filed is self._world:
            turns = self._followed(known, passage, edits)
            if turns is not None:
                return known, turns, False
        with garbage.paused():
            return Compilation(passage.after), self._all(passage), True

    def arrived(self) -> bool:
        """Whether namespaces have come, or were made anew, since a world was enforced: then it is to be tried again."""
        there = ((name, self.fabric.driver(name)) for name in (self._world.vpcs if self._world else ()))
        new = {name for name, driver in there if driver and driver is not self._enforced_by.get(name)}
        self.absent |= new
        return bool(new - self._behind.keys())

    # --- which VPCs a change is about

    def _followed(self, compilation: Compilation, passage: Passage, edits: Sequence[Edit]) -> list[_Turn] | None:
        """The turns of VPCs that the edits are about; None if the compilation cannot follow them."""
        changes: dict[str, VpcChange] = {}
        about: set[str] = set()
        for edit in edits:
            about |= compilation.concerned(edit)
            found = compilation.follow(edit)
            if found is None:
                return None
            for name, change in found.items():
                changes[name] = changes[name].then(change) if name in changes else change
        about |= changes.keys()
        about |= {peer for name in about for peer in passage.after.peers_of(name)}
        about |= {name for name in self.absent if self.fabric.driver(name)}
        anew = self._behind.keys() | self.absent
        judges = _Judges(passage, Change.of(*edits))
        return [
            _Turn(vpc, None if name in anew else changes.get(name, VpcChange()), self._judged(name, judges))
            for name in self._in_order(about | self._behind.keys())
            if (vpc := passage.after.vpcs.get(name))
        ]

    def _all(self, passage: Passage) -> list[_Turn]:
        judges = _Judges(passage)
        near = {vpc for world in judges.usual for vpc in judges.of(world).vpcs} | self._behind.keys()
        return [
            _Turn(passage.after.vpcs[name], None, self._judged(name, judges) if name in near else ())
            for name in self._in_order(passage.after.vpcs)
        ]

    def _in_order(self, vpcs: Iterable[str]) -> list[str]:
        """Those that failed before come last: they keep nobody waiting."""
        return sorted(vpcs, key=lambda name: (name in self._behind, name))

    def _judged(self, vpc: str, judges: _Judges) -> list[LiveChange]:
        worlds = () if vpc in self.absent else self._behind.get(vpc, judges.usual)
        return [judges.of(world) for world in worlds if vpc in world.vpcs]

    # --- the steps

    def _pass(self, passage: Passage, turns: Sequence[_Turn], compilation: Compilation, *, at_once: bool) -> float:
        """Take all VPCs through the change; gives the moment at which the last policy was switched."""
        _each(turns, lambda turn: self._look(turn, at_once=at_once))
        with passage.around():
            with garbage.paused():
                _each(turns, lambda turn: self._switch(turn, compilation))
            committed = time.perf_counter()
            _each(turns, _cut)
            _each(turns, self._open)
        return committed

    def _look(self, turn: _Turn, *, at_once: bool) -> None:
        name = turn.vpc.name
        driver = self.fabric.driver(name) if turn.judges else None
        if driver:
            table = self._table(name, driver) if at_once else None
            turn.connections = VpcConnections(name, self.fabric.namespace(name), turn.judges, table)

    def _table(self, vpc: str, driver: Driver) -> conntrack.Table:
        """The table of a VPC's connections: the same one as long as the driver is."""
        known = self._tables.get(vpc)
        if known and known[0] is driver:
            return known[1]
        if known:
            known[1].close()
        table = conntrack.Table(self.fabric.namespace(vpc), vpc)
        self._tables[vpc] = driver, table
        return table

    def close(self) -> None:
        """Give back what it holds but the fabric; all policy stays in force."""
        while self._tables:
            self._tables.popitem()[1][1].close()

    def _switch(self, turn: _Turn, compilation: Compilation) -> None:
        name = turn.vpc.name
        turn.driver = self.fabric.driver(name)
        if turn.driver and turn.change is None:
            turn.commands = turn.driver.apply(compilation.plan_of(name))
        elif turn.driver and turn.change:
            turn.commands = turn.driver.follow(turn.change, lambda: compilation.plan_of(name))

    def _open(self, turn: _Turn) -> None:
        if turn.driver:
            self.fabric.open(turn.vpc)

    def _settle(self, turn: _Turn, passage: Passage) -> Outcome:
        """Remember how it stands with a VPC, and tell."""
        name = turn.vpc.name
        worlds = self._behind.pop(name, (*passage.begun, *([passage.before] if passage.before else [])))
        self.absent -= {name}
        if turn.error:
            worlds = tuple({id(world): world for world in (*worlds, passage.after)}.values())
            self._behind[name] = (*worlds[:1], *worlds[1:][1 - _MOST_WORLDS :])
            return Outcome(Status.FAILED, turn.commands, tuple(turn.cuts), turn.error)
        if turn.driver is None:
            self.absent |= {name}
            return Outcome(Status.ABSENT)
        self._enforced_by[name] = turn.driver
        return Outcome(Status.ENFORCED, turn.commands, tuple(turn.cuts))

    def _leave(self, passage: Passage) -> dict[str, Outcome]:
        """Leave the VPCs that are no more; gives those where that failed."""
        known = self._leaving | self._behind.keys() | (passage.before.vpcs.keys() if passage.before else set())
        self.absent &= passage.after.vpcs.keys()
        failed: dict[str, Outcome] = {}
        for name in known - passage.after.vpcs.keys():
            self._behind.pop(name, None)
            try:
                self.fabric.leave(name)
            except Exception as error:
                failed[name] = Outcome(Status.FAILED, error=error)
        self._leaving = frozenset(failed)
        return failed


class _Judges:
    """The changes that lead from other worlds to the one to come, each made once."""

    def __init__(self, passage: Passage, change: Change | None = None) -> None:
        self._after = passage.after
        self.usual = (*([passage.before] if passage.before else []), *passage.begun)
        """The worlds that may be in force where nothing has failed."""
        self._made: dict[int, LiveChange] = {}
        if passage.before:
            self._made[id(passage.before)] = LiveChange(passage.before, passage.after, change)

    def of(self, world: World) -> LiveChange:
        """The change from a world."""
        if id(world) not in self._made:
            self._made[id(world)] = LiveChange(world, self._after)
        return self._made[id(world)]


def _each(turns: Iterable[_Turn], step: Callable[[_Turn], None]) -> None:
    """Have each VPC take a step; one that fails takes no more."""
    for turn in turns:
        if not turn.error:
            try:
                step(turn)
            except Exception as error:  # told as the VPC's outcome
                turn.error = error


def _cut(turn: _Turn) -> None:
    if turn.driver and turn.connections:
        turn.cuts = turn.connections.cut(turn.driver)


def _close(turns: Iterable[_Turn]) -> None:
    for turn in turns:
        if turn.connections:
            turn.connections.close()
