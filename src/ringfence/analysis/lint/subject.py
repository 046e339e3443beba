"""The world that is looked through, with what several checks want to know of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ringfence.analysis.lint.occupants import Occupants
from ringfence.analysis.reach.ends import EndClass
from ringfence.analysis.reach.reach import Reach
from ringfence.analysis.rules.removal import Removable, removable_rules
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Action, Direction, Rule
from ringfence.model.service import Listener
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Step


@dataclass(frozen=True, slots=True)
class Hits:
    """How many packets each rule has matched, by its id, and for how many seconds that was counted."""

    packets: Mapping[str, int]
    seconds: float


Listening = Mapping[str, tuple[Listener, ...]]
"""What listens in instances, by their names, and only of those of which it is known."""


@dataclass(frozen=True)
class Subject:
    """A world, as one account looks at it: others' things decide with its own, and are not found fault with."""

    world: World
    account: str = ""
    before: World | None = None
    hits: Hits | None = None
    listening: Listening | None = None

    @cached_property
    def reach(self) -> Reach:
        """Who reaches whom."""
        return Reach(self.world)

    @cached_property
    def policy(self) -> Policy:
        """The evaluator."""
        return Policy(self.world)

    def groups(self, *, managed: bool = False) -> Iterator[SecurityGroup]:
        """The account's groups; those that a service manages, which nobody may edit, only where asked for."""
        for group in self.world.groups.values():
            if group.account == self.account and (managed or not group.managed):
                yield group

    @staticmethod
    def lets_in(group: SecurityGroup) -> list[Rule]:
        """The rules of a group by which others come to its members."""
        allowing = (rule for rule in group.rules if rule.enabled and rule.action is Action.ALLOW)
        return [rule for rule in allowing if rule.direction is Direction.INGRESS]

    def owns(self, instance: str) -> bool:
        """Whether an instance is the account's."""
        found = self.world.instances.get(instance)
        return found is not None and found.account == self.account

    def owns_thing(self, section: str, name: str) -> bool:
        """Whether an ACL, a VPC or both VPCs of a peering are the account's."""
        world = self.world
        found = [world.acls[name]] if section == "acls" else [world.vpcs[name]] if section == "vpcs" else []
        vpcs = world.peerings[name].vpcs if section == "peerings" else ()
        return all(it.account == self.account for it in (*found, *(world.vpcs[vpc] for vpc in vpcs)))

    @cached_property
    def members(self) -> Mapping[str, list[Port]]:
        """The ports in each group that meet packets."""
        found: dict[str, list[Port]] = defaultdict(list)
        for port in self.world.ports:
            for name in port.groups:
                found[name].append(port)
        return found

    @property
    def is_bare(self) -> bool:
        """Whether there is no machine in it: it says nothing then of what is used."""
        return not self.world.instances and not self.world.detached

    @cached_property
    def classes(self) -> Mapping[str, list[EndClass]]:
        """The classes of ends that the ports in each group are of."""
        found: dict[str, list[EndClass]] = defaultdict(list)
        for each in self.reach.classes:
            for name in each.port.groups if each.port else ():
                found[name].append(each)
        return found

    @cached_property
    def removable(self) -> Mapping[str, tuple[Removable, ...]]:
        """Rules that may all go together, by group."""
        return removable_rules(self.world, [group.name for group in self.groups()])

    def homes(self, group: SecurityGroup) -> set[str]:
        """The VPCs in which a group guards something, or may."""
        return {port.vpc for port in self.members[group.name]} | ({group.vpc} & self.world.vpcs.keys())

    def near(self, vpc: str) -> set[str]:
        """A VPC and those whose members of a group a rule in it means."""
        peers = self.world.peers_of(vpc) if self.world.vpcs[vpc].profile.peer_references else ()
        return {vpc, *peers}

    @cached_property
    def occupants(self) -> Occupants:
        """Who has which addresses."""
        return Occupants(self.world)

    def told(self, step: Step) -> str:
        """What a step of a verdict says, unless it is somebody else's."""
        if not self._may_tell(step):
            return "something of another account is in the way"
        return f"{step.group}: '{step.text}'" if step.group else step.text

    def _may_tell(self, step: Step) -> bool:
        world, acl = self.world, self.world.acls.get(step.group)
        vpc = world.vpcs.get(step.place.partition("/")[0])
        if step.port and not self.owns(step.port.instance):
            return False
        match step.stage:
            case Stage.ACL_EGRESS | Stage.ACL_INGRESS:
                return acl is not None and acl.account == self.account
            case Stage.BORDER:
                return vpc is not None and vpc.account == self.account
        return True
