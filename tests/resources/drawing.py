"""Resources that make a world, and resources of every other kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.profile import LIMITS
from ringfence.model.topology import Penalty, Vpc
from ringfence.model.world import World
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import (
    AccessKey,
    Account,
    AclPolicy,
    Machine,
    Penalized,
    PolicyText,
    PortAt,
    Quota,
    RuleOf,
    SharedVpc,
    User,
    Value,
    listing,
)
from tests.value_strategies import names, texts


def as_kept(world: World) -> World:
    """The world as a service keeps it: rules have the ids that they have as resources, names of subnets are unique as
    ids are, expectations are in order, and reasons of penalties print.
    """
    return replace(
        _with_subnets(world),
        groups={name: _with_ids(group) for name, group in world.groups.items()},
        penalties={name: replace(it, reason=ascii(it.reason)) for name, it in world.penalties.items()},
        expects=tuple(sorted({*world.expects}, key=str)),
    )


def _with_subnets(world: World) -> World:
    """The world whose subnets are called by their VPCs, too."""
    return replace(
        world,
        vpcs={name: _with_own_subnets(vpc) for name, vpc in world.vpcs.items()},
        instances={
            name: replace(it, ports=tuple(replace(port, subnet=f"{port.vpc}.{port.subnet}") for port in it.ports))
            for name, it in world.instances.items()
        },
        virtual_ips={name: replace(it, subnet=f"{it.vpc}.{it.subnet}") for name, it in world.virtual_ips.items()},
    )


def _with_own_subnets(vpc: Vpc) -> Vpc:
    subnets = (replace(subnet, name=f"{vpc.name}.{subnet.name}") for subnet in vpc.subnets.values())
    return replace(vpc, subnets={it.name: it for it in subnets})


def _with_ids(group: SecurityGroup) -> SecurityGroup:
    return replace(group, rules=tuple(replace(rule, given_id=rule.id_in(group.name)) for rule in group.rules))


def resources_of(world: World) -> list[Resource]:
    """The resources that make a world; what one refers to stands before it."""
    return [*_networks(world), *_groups(world), *_machines(world), *_about(world)]


def _made(kind: Kind, id_: str, value: Value, account: str = "", description: str = "") -> Resource:
    return Resource(kind, id_, account, value, id_, description, created="2026-01-02T03:04:05.678Z")


def _networks(world: World) -> Iterator[Resource]:
    yield _made(Kind.SETTINGS, "settings", world.profile)
    for group in world.address_groups.values():
        yield _made(Kind.ADDRESS_GROUP, group.name, listing(group, _remarks(group)), group.account)
    for each in world.port_lists.values():
        yield _made(Kind.PORT_LIST, each.name, listing(each, _remarks(each)), each.account)
    for vpc in world.vpcs.values():
        yield _made(Kind.VPC, vpc.name, SharedVpc(replace(vpc, subnets={})), vpc.account)
    for acl in world.acls.values():
        yield _made(Kind.ACL, acl.name, replace(acl, description=""), acl.account, acl.description)
    for acl in world.acls.values():
        for number, rule in enumerate(acl.rules):
            line = replace(rule, direction=None, description="", given_id="", name="")
            yield _made(Kind.ACL_LINE, f"{acl.name}-{number}", line)
        lines = tuple(f"{acl.name}-{number}" for number in range(len(acl.rules)))
        yield _made(Kind.ACL_POLICY, f"all-{acl.name}", AclPolicy(lines, (), (acl.name,), audited=True))
    for vpc in world.vpcs.values():
        for subnet in vpc.subnets.values():
            yield _made(Kind.SUBNET, subnet.name, subnet)
    for peering in world.peerings.values():
        yield _made(Kind.PEERING, peering.name, peering)


def _remarks(it: AddressGroup | PortList) -> dict[str, str]:
    """Words about the first entry."""
    return {str(entry): f"the first of {len(it.entries)}" for entry in it.entries[:1]}


def _groups(world: World) -> Iterator[Resource]:
    for group in world.groups.values():
        bare = replace(group, rules=(), description="", tags={})
        yield replace(_made(Kind.GROUP, group.name, bare, group.account, group.description), tags=group.tags)
    for group in world.groups.values():
        for rule in group.rules:
            value = RuleOf(group.name, rule)
            yield replace(_made(Kind.RULE, rule.given_id, value, group.account, rule.description), name="")


def _machines(world: World) -> Iterator[Resource]:
    for instance in world.instances.values():
        yield _made(Kind.INSTANCE, instance.name, Machine(instance.serve), instance.account)
        for index, port in enumerate(instance.ports):
            yield replace(_made(Kind.PORT, str(port), PortAt(index, port), instance.account), name=port.name)
    for vip in world.virtual_ips.values():
        yield _made(Kind.VIRTUAL_IP, vip.name, vip)


def _about(world: World) -> Iterator[Resource]:
    for host in world.outside.values():
        yield _made(Kind.OUTSIDE_HOST, host.name, host)
    for penalty in world.penalties.values():
        yield _made(Kind.PENALTY, f"pen-{penalty.target}", _penalized(penalty))
    for number, expectation in enumerate(world.expects):
        yield _made(Kind.EXPECTATION, f"exp-{number}-{abs(hash(expectation))}", expectation)


def _penalized(penalty: Penalty) -> Penalized:
    is_port = "." in penalty.target
    return Penalized("" if is_port else penalty.target, penalty.target if is_port else "", penalty.reason)


def _lines() -> st.SearchStrategy[str]:
    return texts().filter(str.isprintable)


def identity_values() -> st.SearchStrategy[tuple[Kind, Value]]:
    """Values of the kinds that no world knows."""
    some = st.lists(names(), max_size=3, unique=True).map(tuple)
    limits = st.dictionaries(st.sampled_from(LIMITS), st.integers(0, 1_000_000), min_size=1, max_size=4)
    sorted_limits = limits.map(lambda found: dict(sorted(found.items())))
    return st.one_of(
        st.tuples(st.just(Kind.ACCOUNT), st.builds(Account, st.booleans())),
        st.tuples(st.just(Kind.USER), st.builds(User, some, st.booleans())),
        st.tuples(st.just(Kind.ACCESS_KEY), st.builds(AccessKey, names(), _lines(), st.booleans())),
        st.tuples(st.just(Kind.POLICY), st.builds(PolicyText, _lines())),
        st.tuples(st.just(Kind.QUOTA), st.builds(Quota, st.just("*") | names(), sorted_limits)),
    )


@st.composite
def identities(draw: DrawFn) -> Resource:
    """A resource of one of those kinds."""
    kind, value = draw(identity_values())
    tags = draw(st.dictionaries(names(), _lines(), max_size=3))
    words = (draw(_lines()), draw(_lines()))
    return Resource(
        kind, draw(names()), draw(names()), value, *words, tags, draw(st.booleans()), "2026-01-02T03:04:05Z"
    )
