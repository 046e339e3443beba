"""What is wrong with a file's world as a whole, with lines, and without what only follows from another mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ringfence.model.address import Family
from ringfence.model.flow import Expectation
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Rule
from ringfence.model.topology import Port
from ringfence.model.validation import Problem, problems
from ringfence.model.world import World
from ringfence.worldfile.notes import Notes

# Literal addresses always resolve; these are set aside for documentation (RFC 5737, RFC 3849).
_PLACEHOLDERS = {Family.IPV4: ("192.0.2.1", "192.0.2.2"), Family.IPV6: ("2001:db8::1", "2001:db8::2")}

_ADDRESS_GROUP = ("InvalidPrefixListId.NotFound", "InvalidParam.PrefixListAddressFamilyMismatch")
_GROUP_KIND = ("world.unknown_vpc", "world.group_vpc", "world.group_type", "world.intra_group")


def judge(world: World, notes: Notes) -> None:
    """Add the problems of a world to the notes; ``world`` holds what could be read of the file."""
    found = problems(_neutral(world, notes))
    doubts = _Doubts(world, notes, found)
    for problem in [each for each in found if not doubts.follows(each)]:
        notes.add(problem.path, notes.where(problem.path), problem.code, problem.what, problem.right)


def _neutral(world: World, notes: Notes) -> World:
    """The world with ends of expectations that could not be read replaced by addresses that raise no question."""
    return replace(world, expects=tuple(_neutral_expectation(each, notes) for each in world.expects))


def _neutral_expectation(expectation: Expectation, notes: Notes) -> Expectation:
    query = expectation.query
    ends = [
        placeholder if _is_doubtful_end(name, notes) else name
        for name, placeholder in zip((query.source, query.destination), _PLACEHOLDERS[query.family], strict=True)
    ]
    return replace(expectation, query=replace(query, source=ends[0], destination=ends[1]))


def _is_doubtful_end(name: str, notes: Notes) -> bool:
    # A broken name may have a dot itself, where a port's name should follow.
    owners = {name, name.partition(".")[0], name.rpartition(".")[0]}
    return any(notes.doubtful(section, owner) for section in ("instances", "outside") for owner in owners)


class _Doubts:
    """Tells problems that follow from a mistake which is reported already from those that stand by themselves."""

    def __init__(self, world: World, notes: Notes, found: Iterable[Problem]) -> None:
        self._world = world
        self._notes = notes
        wrong = notes.wrong_paths()
        self._unread_groups = {
            str(path[1]) for path in wrong if path[0:1] == ("groups",) and len(path) > 1 and path[2:3] != ("rules",)
        }
        # VPC or type are not what they should be: nothing can be said of how ports and rules use the group.
        self._odd_groups = self._unread_groups | {str(each.path[1]) for each in found if each.code in _GROUP_KIND}
        self._profile_unread = any(path[-1:] == ("profile",) for path in wrong)

    def follows(self, problem: Problem) -> bool:
        """Whether the problem may vanish once the mistakes noted so far are corrected."""
        judges: dict[str, Callable[[Problem], bool]] = {
            "vpcs": self._vpc,
            "groups": self._group,
            "instances": self._instance,
        }
        judge_ = judges.get(str(problem.path[0]))
        return judge_ is not None and judge_(problem)

    def _vpc(self, problem: Problem) -> bool:
        vpc = str(problem.path[1])
        return problem.code == "world.outside_vpc" and self._notes.doubtful("vpcs", vpc, "cidrs")

    def _group(self, problem: Problem) -> bool:
        name = str(problem.path[1])
        if problem.code == "world.unknown_vpc":
            return self._notes.lost("vpcs", self._world.groups[name].vpc)
        if problem.code in _GROUP_KIND:
            return name in self._unread_groups
        index = problem.path[3] if len(problem.path) > 3 else None
        return isinstance(index, int) and self._rule(problem, name, self._world.groups[name].rules[index])

    def _rule(self, problem: Problem, group: str, rule: Rule) -> bool:
        if isinstance(rule.remote, AddressGroupRemote) and problem.code in _ADDRESS_GROUP:
            return self._notes.doubtful("address_groups", rule.remote.name)
        if not isinstance(rule.remote, GroupRemote):
            return False
        if problem.code == "InvalidSourceGroupId.NotFound":
            return self._notes.doubtful("groups", rule.remote.name)
        odd = bool({group, rule.remote.name} & self._odd_groups)
        return odd and problem.code in ("InvalidSourceGroupId.Mismatch", "InvalidParamter.Conflict")

    def _instance(self, problem: Problem) -> bool:
        instance = str(problem.path[1])
        if problem.code in ("world.no_group", "world.listener"):
            return self._notes.broken("instances", instance)
        if len(problem.path) < 4:
            return False
        return self._port(problem, self._world.instances[instance].by_name[str(problem.path[3])])

    def _port(self, problem: Problem, port: Port) -> bool:
        if problem.code == "InvalidSecurityGroupId.NotFound":
            return self._notes.lost("groups", "")
        if problem.code in ("world.address_outside_subnet", "world.address_reserved"):
            return self._notes.doubtful("vpcs", port.vpc, "subnets", port.subnet)
        if problem.code == "world.group_of_other_profile" and self._profile_unread:
            return True
        kind = ("world.group_of_other_vpc", "world.group_of_other_profile", "world.group_type")
        return problem.code in kind and bool(self._odd_groups & set(port.groups))
