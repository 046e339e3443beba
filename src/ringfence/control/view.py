"""What an account sees of the world that accounts share: the one place where its names become ids, and ids its names.

A packet is judged by all that is on its way, whoever has it. So there are three worlds of one state: `View.own` is what
the account has and can say, in names; `View.around` is all that decides on its packets, in ids; `View.named` is that
again with the account's things under its names, for what is told of whole worlds. What is another account's is in the
latter two, and is never told: `View.has`, `View.may_tell` and `View.step` say what may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from ringfence.control.exporting import visible_world, world_of
from ringfence.control.naming import ENDS, Names, Naming
from ringfence.errors import UnknownName
from ringfence.model.flow import Endpoint, Expectation, Flow, Query
from ringfence.model.renaming import renamed
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.policy.verdict import Stage, Step
from ringfence.resources.kind import SECTIONS, Kind
from ringfence.resources.state import State

OTHERS = "something of another account"
"""What is told in place of what is another account's."""
_OWNERS = {
    **dict.fromkeys((Stage.EGRESS, Stage.INGRESS), "groups"),
    **dict.fromkeys((Stage.ACL_EGRESS, Stage.ACL_INGRESS), "acls"),
}
"""Whose the rules of a stage are, by the section that these are in."""
_HIDDEN: dict[str, object] = {"port": None, "place": None, "group": None, "rule_id": "", "text": OTHERS, "late": []}


@dataclass(frozen=True)
class View:
    """What an account sees of one state."""

    state: State
    account: str

    @cached_property
    def naming(self) -> Naming:
        """What its things are called."""
        return Naming(self.state, self.account)

    # --- the worlds

    @cached_property
    def own(self) -> World:
        """What it has and can say, in names: what its world file says."""
        return world_of(self.state, self.account)

    @cached_property
    def around(self) -> World:
        """All that decides on its packets, in ids."""
        return visible_world(self.state, self.account)

    @cached_property
    def named(self) -> World:
        """The same with its things under its names; what others have is called as nothing that it may speak of."""
        return renamed(self.around, self._names) if any(self._names.values()) else self.around

    @cached_property
    def said(self) -> World:
        """Where its words are looked up: its own world, or the one around it where that has nothing else."""
        return self.named if self.is_alone else self.own

    @property
    def is_whole(self) -> bool:
        """Whether all that there is in the state's world is its own."""
        return self.around is self.state.world

    @property
    def is_renamed(self) -> bool:
        """Whether anything of its own has another name than its id."""
        return any(self.naming.names.values())

    @cached_property
    def expects(self) -> tuple[Expectation, ...]:
        """What it expects, in names."""
        if not self.state.count(self.account, Kind.EXPECTATION):
            return ()
        return tuple(sorted(set(self.said.expects), key=str))

    @cached_property
    def is_alone(self) -> bool:
        """Whether all that decides on its packets is its own, so that all may be told."""
        return not any(self._others(kind) for kind in SECTIONS)

    @cached_property
    def _names(self) -> Names:
        found = {section: dict(pairs) for section, pairs in self.naming.names.items()}
        for kinds in (ENDS, *((kind,) for kind in SECTIONS if kind not in ENDS)):
            own = {name for kind in kinds for name in self.naming.ids[SECTIONS[kind]]}
            others = {kind: self._others(kind) for kind in kinds}
            free = _free(own.union(*others.values()))
            for kind, ids in others.items():
                found[SECTIONS[kind]] |= {id_: next(free) for id_ in sorted(ids & own)}
        return found

    def _others(self, kind: Kind) -> Set[str]:
        """The ids of what others have around it."""
        own = {it.id for it in self.state.owned(self.account, kind)}
        return frozenset(getattr(self.around, SECTIONS[kind])) - own

    # --- what it says

    def flow(self, query: Query) -> Flow:
        """What it asks about, in ids. Raises `UnknownName` for what is not its own as for what is not there."""
        try:
            return self.in_ids(self.said.flow(query))
        except UnknownName:
            self._check_alone(query.source, query.destination)
            raise

    def in_ids(self, flow: Flow) -> Flow:
        """A flow of its own world as one of the world around it."""
        return replace(flow, source=self._placed(flow.source), destination=self._placed(flow.destination))

    def in_names(self, flow: Flow) -> Flow:
        """The other way round, as one of the world in names."""
        ends = (replace(it, vpc=self._names["vpcs"].get(it.vpc, it.vpc)) for it in (flow.source, flow.destination))
        source, destination = ends
        return replace(flow, source=source, destination=destination)

    def _check_alone(self, *ends: str) -> None:
        """Refuse what several instances are called, as both clouds allow: a world then has them by their ids."""
        for end in ends:
            alike = self.state.named(self.account, Kind.INSTANCE, end.partition(".")[0])
            if len(alike) > 1:
                ids = ", ".join(it.id for it in alike)
                raise UnknownName(f"several instances are called {alike[0].name!r}", f"give an id: {ids}")

    def _placed(self, end: Endpoint) -> Endpoint:
        """An end of its own world where it is in the one around it: a neighbour's address is not outside."""
        if end.vpc:
            return replace(end, vpc=self.naming.ids["vpcs"].get(end.vpc, end.vpc))
        if end.name in self.said.outside:
            return end
        having = [vpc for vpc in self.around.vpcs if self.around.port_at(Endpoint(end.address, vpc))]
        if len(having) > 1:
            raise UnknownName(f"several VPCs use {end.address}", "name an instance")
        return replace(end, vpc=having[0]) if having else end

    # --- what it may be told

    def has(self, section: str, name: str) -> bool:
        """Whether a thing of the world in names is its own."""
        return name in self.naming.ids[section]

    def is_mine(self, port: Port) -> bool:
        """Whether a port of the world in names is its own."""
        return self.has("instances", port.instance)

    def owns(self, kind: Kind, id_: str) -> bool:
        """Whether a thing of the world around it is its own."""
        found = self.state.get(kind, id_)
        return found is not None and found.account == self.account

    def may_tell(self, step: Step) -> bool:
        """Whether a step of the world around it is at a port of its own, and decided by what it has or may name."""
        if step.port and not self.owns(Kind.INSTANCE, step.port.instance):
            return False
        match step.stage:
            case Stage.ACL_EGRESS | Stage.ACL_INGRESS:
                return self.owns(Kind.VPC, step.place.partition("/")[0])
            case Stage.BORDER:
                return self.owns(Kind.VPC, step.place)
            case Stage.PEERING:
                return self.owns(Kind.PEERING, step.place)
            case Stage.PLATFORM if not step.port:
                return self._may_name(step.place)
            case Stage.ROUTE:  # its text speaks of VPCs
                return all(map(self._may_name, self.around.vpcs))
        return True

    def _may_name(self, vpc: str) -> bool:
        return self.owns(Kind.VPC, vpc) or vpc in self.said.vpcs

    def step(self, step: Step) -> dict[str, Any]:
        """A step of the world around it for programs, in names; the ids of rules are those of logs and counters."""
        if not self.may_tell(step):
            return step.as_json() | _HIDDEN
        called, words = partial(self.owner, step.stage), self.naming.words
        late = [{"group": called(it.group), "rule_id": it.rule_id, "text": words(it.text)} for it in step.late]
        return step.as_json() | {
            "port": self.naming.port(str(step.port)) if step.port else None,
            "place": self._place(step) or None,
            "group": called(step.group) or None,
            "text": words(step.text),
            "late": late,
        }

    def owner(self, stage: Stage, owner: str) -> str:
        """Whose rule it is, in names: a group's, an ACL's or a firewall's."""
        if stage in _OWNERS:
            return self.naming.called(_OWNERS[stage], owner)
        return self.naming.words(owner)

    def _place(self, step: Step) -> str:
        if step.port and step.place == str(step.port):
            return self.naming.port(step.place)
        if step.stage is Stage.PEERING:
            return self.naming.called("peerings", step.place)
        vpc, slash, subnet = step.place.partition("/")
        return self.naming.called("vpcs", vpc) + slash + (self.naming.subnet(vpc, subnet) if slash else "")


def _free(taken: Set[str]) -> Iterator[str]:
    """Names that nothing has."""
    number = 0
    while True:
        number += 1
        if (name := f"other-{number}") not in taken:
            yield name
