"""What is wrong with a file's world as a whole, with lines, and without what only follows from another mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ringfence.model.acl import AclRule
from ringfence.model.address import Family
from ringfence.model.flow import Expectation
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Rule
from ringfence.model.topology import Port, Vpc
from ringfence.model.validation import Problem, problems
from ringfence.model.world import World
from ringfence.worldfile.notes import Notes

# Literal addresses always resolve; these are set aside for documentation (RFC 5737, RFC 3849).
_PLACEHOLDERS = {Family.IPV4: ("192.0.2.1", "192.0.2.2"), Family.IPV6: ("2001:db8::1", "2001:db8::2")}

_ADDRESS_GROUP = ("InvalidPrefixListId.NotFound", "InvalidParam.PrefixListAddressFamilyMismatch")
_GROUP_KIND = ("world.unknown_vpc", "world.group_vpc", "world.group_type", "world.intra_group")
_GROUP_USE = (
    *("world.group_of_other_vpc", "world.group_of_other_profile", "world.group_of_other_account"),
    *("world.group_type", "InvalidNetworkType.Mismatch"),
)
_GROUP_REFERENCE = (
    *("InvalidSourceGroupId.Mismatch", "InvalidParamter.Conflict", "InvalidNetworkType.Mismatch"),
    "InvalidGroupParameter.OperationDenied",
)
_CLASSIC = (
    *("InvalidNetworkType.Mismatch", "InvalidNicType.Mismatch", "InvalidNicType.ValueNotSupported"),
    *("NotSupported.ClassicNetworkPrefixList", "NotSupported.ClassicNetworkPortList"),
)
_PLACE = ("world.address_outside_subnet", "world.address_reserved")


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
    return any(_is_doubtful(section, name, notes) for section in ("instances", "outside", "virtual_ips"))


def _is_doubtful(section: str, name: str, notes: Notes) -> bool:
    # A broken name may have a dot itself, where a port's name should follow.
    owners = {name, name.partition(".")[0], name.rpartition(".")[0]}
    return any(notes.doubtful(section, owner) for owner in owners)


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
        self._network_unread = any(path[0:1] == ("vpcs",) and path[2:3] == ("network",) for path in wrong)

    def follows(self, problem: Problem) -> bool:
        """Whether the problem may vanish once the mistakes noted so far are corrected."""
        if self._network_unread and problem.code in _CLASSIC:
            return True
        judges: dict[str, Callable[[Problem], bool]] = {
            "vpcs": self._vpc,
            "peerings": self._peering,
            "groups": self._group,
            "acls": self._acl,
            "instances": self._instance,
            "virtual_ips": self._virtual_ip,
            "blocks": self._block,
        }
        judge_ = judges.get(str(problem.path[0]))
        return judge_ is not None and judge_(problem)

    def _vpc(self, problem: Problem) -> bool:
        vpc = self._world.vpcs[str(problem.path[1])]
        if problem.path[2] == "border":
            return self._line(problem, vpc.border)
        if problem.code in ("world.unknown_acl", "world.acl_vpc", "world.acl_of_other_vpc"):
            return self._subnet_acl(problem, vpc)
        return problem.code == "world.outside_vpc" and self._notes.doubtful("vpcs", vpc.name, "cidrs")

    def _subnet_acl(self, problem: Problem, vpc: Vpc) -> bool:
        acl = vpc.subnets[str(problem.path[3])].acl
        return self._notes.doubtful("acls", acl, "vpc")

    def _peering(self, problem: Problem) -> bool:
        peering = self._world.peerings[str(problem.path[1])]
        if problem.path[2:3] == ("firewall",):
            return self._line(problem, peering.firewall)
        return problem.code == "world.unknown_vpc" and self._notes.lost("vpcs", "")

    def _group(self, problem: Problem) -> bool:
        name = str(problem.path[1])
        if problem.code == "world.unknown_vpc":
            return self._notes.lost("vpcs", self._world.groups[name].vpc)
        if problem.code in _GROUP_KIND:
            return name in self._unread_groups
        index = problem.path[3] if len(problem.path) > 3 else None
        return isinstance(index, int) and self._rule(problem, name, self._world.groups[name].rules[index])

    def _rule(self, problem: Problem, group: str, rule: Rule) -> bool:
        if problem.code in _ADDRESS_GROUP:
            return self._is_doubtful_list(rule.remote)
        if problem.code == "InvalidPortRangeListId.NotFound":
            return self._notes.doubtful("port_lists", str(rule.ports))
        if problem.code in _CLASSIC and group in self._odd_groups:
            return True
        if not isinstance(rule.remote, GroupRemote):
            return False
        if problem.code == "InvalidSourceGroupId.NotFound":
            return self._notes.doubtful("groups", rule.remote.name) or self._notes.broken("groups", group, "account")
        odd = bool({group, rule.remote.name} & self._odd_groups)
        return odd and problem.code in _GROUP_REFERENCE

    def _acl(self, problem: Problem) -> bool:
        acl = self._world.acls[str(problem.path[1])]
        if problem.code in ("world.unknown_vpc", "world.acl_vpc"):
            return self._notes.lost("vpcs", acl.vpc) or self._notes.doubtful("acls", acl.name, "vpc")
        return self._line(problem, acl.rules)

    def _line(self, problem: Problem, lines: tuple[AclRule, ...]) -> bool:
        index = problem.path[-1]
        if problem.code not in _ADDRESS_GROUP or not isinstance(index, int):
            return False
        return any(map(self._is_doubtful_list, (lines[index].source, lines[index].destination)))

    def _is_doubtful_list(self, side: object) -> bool:
        return isinstance(side, AddressGroupRemote) and self._notes.doubtful("address_groups", side.name)

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
        if problem.code in _PLACE:
            return self._notes.doubtful("vpcs", port.vpc, "subnets", port.subnet)
        if problem.code == "world.group_of_other_profile" and self._profile_unread:
            return True
        return problem.code in _GROUP_USE and bool(self._odd_groups & set(port.groups))

    def _virtual_ip(self, problem: Problem) -> bool:
        vip = self._world.virtual_ips[str(problem.path[1])]
        if problem.code in _PLACE:
            return self._notes.doubtful("vpcs", vip.vpc, "subnets", vip.subnet)
        if problem.code == "world.unknown_port":
            return _is_doubtful("instances", vip.ports[int(problem.path[3])], self._notes)
        return problem.code == "world.virtual_ip" and self._notes.broken("virtual_ips", vip.name, "ports")

    def _block(self, problem: Problem) -> bool:
        target = str(problem.path[1])
        return problem.code == "world.unknown_port" and _is_doubtful("instances", target, self._notes)
