"""The worlds of the bench as resources in a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ringfence.control.authority import OPERATOR
from ringfence.model.world import World
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import Machine, PortAt, RuleOf, SharedVpc, Value, listing
from ringfence.store.rows import Revision, Row, Version, now
from ringfence.store.store import Store


def fill(store: Store, world: World) -> int:
    """Write a world into a store as one revision of the operator's; gives the revision."""
    rows = (Row(it.kind.value, it.id, it.account, it.text()) for it in resources_of(world))
    with store.writing() as writing:
        number = writing.head + 1
        versions = tuple(Version(None, row) for row in rows)
        writing.commit(Revision(number, now(), OPERATOR, "", "Bench", "bench", versions), [], None)
    return number


def resources_of(world: World) -> Iterator[Resource]:
    """The resources that make a world of the bench: one VPC, groups, address groups, instances."""
    for vpc in world.vpcs.values():
        yield _made(Kind.VPC, vpc.name, SharedVpc(replace(vpc, subnets={})))
        for subnet in vpc.subnets.values():
            yield _made(Kind.SUBNET, subnet.name, subnet)
    for listed in world.address_groups.values():
        yield _made(Kind.ADDRESS_GROUP, listed.name, listing(listed))
    for group in world.groups.values():
        yield _made(Kind.GROUP, group.name, replace(group, rules=(), account=OPERATOR))
        for rule in group.rules:
            id_ = rule.id_in(group.name)
            yield _made(Kind.RULE, id_, RuleOf(group.name, replace(rule, given_id=id_)))
    for instance in world.instances.values():
        yield _made(Kind.INSTANCE, instance.name, Machine(instance.serve))
        for index, port in enumerate(instance.ports):
            yield replace(_made(Kind.PORT, str(port), PortAt(index, port)), name=port.name)
    yield _made(Kind.SETTINGS, Kind.SETTINGS.value, world.profile)


def _made(kind: Kind, id_: str, value: Value) -> Resource:
    return Resource(kind, id_, OPERATOR, value, id_ if kind is not Kind.RULE else "", created=now())
