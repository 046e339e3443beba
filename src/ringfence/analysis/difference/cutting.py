"""What of a path cuts live connections: the stages that keep state, in VPCs whose profile judges connections anew."""

from __future__ import annotations

from ringfence.analysis.reach.ends import EndClass
from ringfence.analysis.reach.plane import Plane
from ringfence.analysis.reach.roster import Roster
from ringfence.analysis.sets.sieve import Sieve, Sieves
from ringfence.model.profile import OnChange
from ringfence.model.rule import Direction
from ringfence.model.topology import Port
from ringfence.policy.evaluate import Policy


class CuttingPlane(Plane):
    """What each class lets live connections go on with (SEMANTICS.md 3.3, `ringfence.policy.live`).

    A VPC decides about its own table by its own stages: what is at its ports and its border, the way to its peers and
    the firewall on it. Stateless ACLs judge packets, not connections.
    """

    def __init__(self, policy: Policy, roster: Roster, sieves: Sieves) -> None:
        super().__init__(policy, roster, sieves)
        vpcs = policy.world.vpcs.values()
        self.rejudging = frozenset(vpc.name for vpc in vpcs if vpc.profile.on_change is OnChange.REJUDGE)

    def sends(self, end: EndClass) -> Sieve:
        """What it leaves of that which an end sends."""
        return super().sends(end) if end.port else {self.every: self.everybody}

    def receives(self, end: EndClass) -> Sieve:
        """What it leaves of that which comes to an end."""
        return super().receives(end) if end.port else {self.every: self.everybody}

    def _sent(self, end: EndClass, port: Port) -> Sieve:
        vpc = self._world.vpcs[port.vpc]
        found = {self.every: self.everybody & ~self._out_of_reach(port.vpc)}
        own = vpc.name in self.rejudging
        if own:
            found = self._open(end, vpc, port, self._but(self.every, vpc.profile.blocked_egress))
            found = self.sieves.meet(found, self._gate(end, port, Direction.EGRESS))
        for peer in self._world.peers_of(vpc.name):
            if own or peer in self.rejudging:
                found = self._behind(found, end, self._policy.peering(vpc.name, peer), self.roster.in_vpc(peer))
        if own:
            found = self._behind(found, end, self._policy.border(vpc, Direction.EGRESS), self.outside)
        return self._past_acls(found, end, port, Direction.EGRESS) if own and vpc.profile.acl_stateful else found

    def _received(self, end: EndClass, port: Port) -> Sieve:
        vpc = self._world.vpcs[port.vpc]
        if vpc.name not in self.rejudging:
            return {self.every: self.everybody}
        found = self._open(end, vpc, port, self.every)
        found = self.sieves.meet(found, self._gate(end, port, Direction.INGRESS))
        found = self._behind(found, end, self._policy.border(vpc, Direction.INGRESS), self.outside)
        return self._past_acls(found, end, port, Direction.INGRESS) if vpc.profile.acl_stateful else found

    def _out_of_reach(self, vpc: str) -> int:
        """The classes in VPCs that judge anew and are not connected with one."""
        found = 0
        for other in self.rejudging - {vpc, *self._world.peers_of(vpc)}:
            found |= self.roster.in_vpc(other)
        return found
