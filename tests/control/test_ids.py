"""Ids of what is made: their style, and two things of one name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence import worldfile
from ringfence.control import lines
from ringfence.control.declaring import apply
from ringfence.control.exporting import world_of
from ringfence.control.ids import IdStyle
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource

from ..declare.desk import Desk

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_PREFIXED = "{}-[a-z0-9]{{17}}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("style", "of"),
    [
        (IdStyle.SPEAKING, lambda prefix, name: name or _PREFIXED.format(prefix)),
        (IdStyle.PREFIXED, lambda prefix, _: _PREFIXED.format(prefix)),
        (IdStyle.UUID, lambda _, __: UUID),
    ],
    ids=["speaking", "prefixed", "uuid"],
)
def test_ids_look_as_the_api_wants_them(desk: Desk, style: IdStyle, of: Callable[[str, str], str]) -> None:
    operator = desk.caller(ids=style)

    def make(kind: Kind, prefix: str, **said: object) -> Resource:
        made = desk.make(operator, kind, **said)
        assert re.fullmatch(of(prefix, str(said.get("name", ""))), made.id)
        return made

    vpc = make(Kind.VPC, "vpc", name="shop", cidrs=["10.0.0.0/16"])
    subnet = make(Kind.SUBNET, "subnet", name="front", vpc=vpc.id, cidr="10.0.1.0/24")
    group = make(Kind.GROUP, "sg", name="web")
    rule = make(Kind.RULE, "sgr", group=group.id, rule="in allow tcp 80 from any")
    machine = make(Kind.INSTANCE, "i", name="web-1", ports=[{"subnet": subnet.id, "groups": [group.id]}])
    world = desk.control.state.world
    assert rule.id in world.groups[group.id].by_id
    assert world.instances[machine.id].primary.groups == (group.id,)


@pytest.mark.parametrize("style", [IdStyle.PREFIXED, IdStyle.UUID])
@pytest.mark.parametrize("tenant", [False, True])
def test_two_things_of_one_name_are_two(desk: Desk, style: IdStyle, *, tenant: bool) -> None:
    """Each under its id: in rules, in the world, in a file and back."""
    native = desk.tenant("guest") if tenant else desk.caller()
    caller = replace(native, ids=style)
    vpcs = [desk.make(caller, Kind.VPC, name="shop", cidrs=["10.0.0.0/16"]) for _ in range(2)]
    groups = [desk.make(who, Kind.GROUP, name="web") for who in (caller, native, caller)]
    lists = [desk.make(caller, Kind.ADDRESS_GROUP, name="office", entries=[f"192.0.2.{n}"]) for n in range(2)]
    for number, group in enumerate(groups):
        desk.make(caller, Kind.RULE, group=group.id, rule=f"in allow tcp {number + 1} from group {groups[0].id}")
        desk.make(caller, Kind.RULE, group=group.id, rule=f"in allow udp from {lists[number % 2].id}")
    subnets = [desk.make(caller, Kind.SUBNET, name="front", vpc=it.id, cidr="10.0.1.0/24") for it in vpcs]
    acls = [desk.make(caller, Kind.ACL, name="edge", rules=["in allow all from any to any"]) for _ in range(2)]
    desk.update(caller, Kind.SUBNET, subnets[0].id, acl=acls[1].id)
    for subnet, group in zip(subnets, groups, strict=False):
        desk.make(caller, Kind.INSTANCE, name="web-1", ports=[{"subnet": subnet.id, "groups": [group.id]}])
    assert (groups[1].id == "web") is not tenant
    assert [len(desk.control.state.named(native.account, it.kind, it.name)) for it in (vpcs[0], groups[0])] == [2, 3]

    state = desk.control.state
    exported = world_of(state, native.account)
    text = worldfile.dump(exported)
    assert worldfile.parse(text, "export") == exported
    with desk.control.change(native, "ApplyChanges") as draft:
        assert not apply(draft, worldfile.parse(text, "export")).plan.changes
    assert desk.control.state is state
    assert [line.id for line in lines.lines(acls[0])] != [line.id for line in lines.lines(acls[1])]
