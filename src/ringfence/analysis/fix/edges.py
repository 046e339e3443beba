"""What may turn a denial by the lines of a network ACL or of a firewall: lines, the ACL's state, lists of addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ringfence.analysis.fix.asked import Asked, is_line_about, matched_ids, service_ports, source_ports
from ringfence.analysis.fix.edits import Edit
from ringfence.analysis.fix.ways import AddEntry, AddLine, EnableAcl, EnableLine, Lines, RemoveEntry, RemoveLine
from ringfence.model.acl import AclRule, Side
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.rule import Action, AddressGroupRemote, Direction
from ringfence.policy.verdict import Stage, Step


@dataclass(frozen=True)
class Edge:
    """A denial by lines. ``flow`` is what they judge: the flow, or (``is_back``) the answer to it."""

    asked: Asked
    step: Step
    is_back: bool = False

    @cached_property
    def flow(self) -> Flow:
        """What is judged."""
        return self.asked.flow.back if self.is_back else self.asked.flow

    @cached_property
    def lines(self) -> Lines:
        """Whose lines judge."""
        place, world = self.step.place, self.asked.world
        if self.step.stage is Stage.PEERING:
            return Lines("peerings", place)
        if self.step.stage is Stage.BORDER:
            return Lines("vpcs", place)
        vpc, _, subnet = place.partition("/")
        return Lines("acls", world.vpcs[vpc].subnets[subnet].acl)

    @cached_property
    def direction(self) -> Direction | None:
        """The direction of the lines that judge; those of a peering have none."""
        if self.step.stage is Stage.PEERING:
            return None
        if self.step.stage is Stage.BORDER:
            return Direction.EGRESS if self.asked.port(self.flow.source) else Direction.INGRESS
        return Direction.EGRESS if self.step.stage is Stage.ACL_EGRESS else Direction.INGRESS

    @cached_property
    def all(self) -> tuple[AclRule, ...]:
        """All lines there are."""
        return self.lines.of(self.asked.world)

    @cached_property
    def matched(self) -> list[tuple[int, AclRule]]:
        """The lines in force that match, with their places."""
        owner = self.lines.owner(self.asked.world)
        ids = {id_ for group, id_ in matched_ids(self.step) if group == owner}
        found = enumerate(self.all)
        return [(at, it) for at, it in found if it.enabled and self._looks(it) and it.id_in(owner) in ids]

    def _looks(self, line: AclRule) -> bool:
        return line.direction is self.direction

    @cached_property
    def denials(self) -> list[tuple[int, AclRule]]:
        """Those of them that deny."""
        return [(at, line) for at, line in self.matched if line.action is Action.DENY]

    def candidates(self) -> Iterator[Edit]:
        """Every edit of the space that may have a part in turning the denial."""
        acl = self.asked.world.acls.get(self.lines.name) if self.lines.section == "acls" else None
        if acl and not acl.enabled:
            yield EnableAcl(acl.name)
            return
        yield self._added()
        yield from self._disabled()
        yield from (RemoveLine(self.lines, at, line) for at, line in self.denials)
        yield from self._lists()

    def _added(self) -> AddLine:
        """A line for this flow alone, as weak as suffices: right before the first that denies, or behind all."""
        at = min((at for at, _ in self.denials), default=len(self.all))
        flow = self.flow
        line = AclRule(
            Action.ALLOW,
            flow.service.protocol,
            flow.source.address.host_prefix,
            flow.destination.address.host_prefix,
            self.direction,
            service_ports(flow),
            source_ports(flow),
        )
        return AddLine(self.lines, at, line, last=at == len(self.all))

    def _disabled(self) -> Iterator[Edit]:
        for at, line in enumerate(self.all):
            if not line.enabled and self._may_allow(line) and all(self._meant(line)):
                yield EnableLine(self.lines, at, line, last=at == len(self.all) - 1)

    def _may_allow(self, line: AclRule) -> bool:
        about = is_line_about(line, self.flow)
        return line.action is Action.ALLOW and self._looks(line) and about

    def _sides(self, line: AclRule) -> tuple[tuple[Side, Endpoint], ...]:
        return (line.source, self.flow.source), (line.destination, self.flow.destination)

    def _meant(self, line: AclRule) -> tuple[bool, ...]:
        """Whether a line means each of the ends."""
        return tuple(self.asked.means(side, end) for side, end in self._sides(line))

    def _lists(self) -> Iterator[Edit]:
        for line in self.all:
            if line.enabled and self._may_allow(line) and sum(self._meant(line)) == 1:
                for side, end in self._sides(line):
                    if isinstance(side, AddressGroupRemote) and not self.asked.means(side, end):
                        yield AddEntry(side.name, end.address.host_prefix.range)
        for _, line in self.denials:
            for side, end in self._sides(line):
                if isinstance(side, AddressGroupRemote):
                    entries = self.asked.world.address_groups[side.name].entries
                    yield from (RemoveEntry(side.name, entry) for entry in entries if end.address in entry)
