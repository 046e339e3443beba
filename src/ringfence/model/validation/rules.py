"""Rules of security groups: what they name, and what their profile lets them say."""

from __future__ import annotations

from collections.abc import Iterator, Set

from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.port_list import NamedPorts
from ringfence.model.profile import Profile
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Rule
from ringfence.model.topology import Network
from ringfence.model.validation.address_groups import named_list_problems
from ringfence.model.validation.classic import classic_rule_problems, network_of
from ringfence.model.validation.port_lists import named_ports_problems
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.world import World, nearest


def rule_problems(
    world: World, group: SecurityGroup, profile: Profile, only: Set[str] | None = None
) -> Iterator[Problem]:
    """What is wrong with the rules of a group, each by itself (``only``: those with these ids), and rules twice."""
    seen: set[str] = set()
    classic = network_of(world, group) is Network.CLASSIC
    for index, rule in enumerate(group.rules):
        if only is None or rule.id_in(group.name) in only:
            yield from _own_problems(world, group, profile, index, classic=classic)
        if rule.key in seen:
            what = f"group {group.name} has this rule already: {rule.key}"
            yield Problem(("groups", group.name, "rules", index), "world.duplicate", what, "remove one of them")
        seen.add(rule.key)


def _own_problems(world: World, group: SecurityGroup, profile: Profile, index: int, *, classic: bool) -> list[Problem]:
    """Lists, not iterators: what of a rule that names nothing is judged takes less than to make one."""
    rule, path = group.rules[index], ("groups", group.name, "rules", index)
    found: list[Problem] = []
    if isinstance(rule.remote, AddressGroupRemote):
        found += named_list_problems(world, path, rule.families, rule.remote)
    elif isinstance(rule.remote, GroupRemote):
        found += _reference_problems(world, group, profile, rule.remote, path)
    if isinstance(rule.ports, NamedPorts):
        found += named_ports_problems(world, path, rule.ports)
    if classic or rule.nic:
        found += classic_rule_problems(group, rule, path, classic=classic)
    return found + form_problems(profile, rule, path)


def form_problems(profile: Profile, rule: Rule, path: Path) -> list[Problem]:
    """What a profile does not let a rule say, whatever is around it."""
    found: list[Problem] = []
    if rule.size.ranges > profile.port_ranges_per_rule:
        what = f"the rule lists {rule.size.ranges} port ranges, {profile.name} takes {profile.port_ranges_per_rule}"
        found.append(Problem(path, "limit.port_ranges", what, "split it into several rules"))
    if not profile.five_tuple and rule.is_five_tuple:
        own = f"its own address {rule.local}" if rule.local else f"source ports {rule.source_ports}"
        what = f"the rule names {own}, and a rule of the {profile.name} profile names remote and destination ports only"
        found.append(Problem(path, "world.five_tuple", what, "leave it out, or say it in a network ACL"))
    return found


def reference_problems(world: World, group: SecurityGroup, profile: Profile) -> Iterator[Problem]:
    """What is wrong with the rules of a group that name one."""
    for index, rule in enumerate(group.rules):
        if isinstance(rule.remote, GroupRemote):
            yield from _reference_problems(world, group, profile, rule.remote, ("groups", group.name, "rules", index))


def _reference_problems(
    world: World, group: SecurityGroup, profile: Profile, remote: GroupRemote, path: Path
) -> Iterator[Problem]:
    """The first reason for which a rule of a group may not name another one, or itself."""
    name = remote.name
    other = world.groups.get(name)
    mismatch = "InvalidSourceGroupId.Mismatch"
    if other is None:
        yield Problem(path, "InvalidSourceGroupId.NotFound", f"there is no group {name!r}", nearest(name, world.groups))
    elif other is group and not profile.self_reference:
        what = f"group {name} may not name itself in the {profile.name} profile"
        right = "use intra_group: accept" if group.type is GroupType.BASIC else "use a prefix"
        yield Problem(path, "InvalidParamter.Conflict", what, right)
    elif other.account != group.account and not profile.cross_account:
        what = f"group {name} belongs to {_account(other)}, {group.name} to {_account(group)}"
        what += f", and the {profile.name} profile ties groups of one account only"
        yield Problem(path, mismatch, what, "use a prefix")
    elif remote.account != other.account and (remote.account or other.account != group.account):
        what = f"group {name} belongs to {_account(other)}, and the rule names {_named_account(remote)}"
        spelling = GroupRemote(name, "" if other.account == group.account else other.account)
        yield Problem(path, "InvalidSourceGroupId.NotFound", what, f"write '{spelling}'")
    elif GroupType.ADVANCED in (group.type, other.type):
        what = f"{group.name} and {name} cannot be tied by a rule: an advanced group neither names a group nor is named"
        yield Problem(path, "InvalidGroupParameter.OperationDenied", what, "use a prefix")
    elif network_of(world, group) is not network_of(world, other):
        what = f"one of {group.name} and {name} is a group of the classic network, the other one of a VPC"
        yield Problem(path, "InvalidNetworkType.Mismatch", what, "use a prefix")
    elif profile.groups_need_vpc and group.vpc != other.vpc:
        what = f"group {name} belongs to VPC {other.vpc or '(none)'}, {group.name} to {group.vpc}"
        yield Problem(path, mismatch, what, "name a group of the same VPC, or a prefix")


def _account(group: SecurityGroup) -> str:
    return f"account {group.account}" if group.account else "your own account"


def _named_account(remote: GroupRemote) -> str:
    return f"account {remote.account}" if remote.account else "no account"
