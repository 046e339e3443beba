"""A group that belongs to no VPC is of a profile: its own, or that of the settings. VPCs of that profile may use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ringfence import worldfile
from ringfence.control import cloning, quotas, rules
from ringfence.control.declaring import apply
from ringfence.control.exporting import world_of
from ringfence.model.group import SecurityGroup
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import RuleOf
from tests.control.service import Service, told

OTHER = "world.group_of_other_profile"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Service]:
    """Settings of one cloud; VPCs of it, of the other one, and of the other one with a switch set otherwise."""
    with Service.fresh(tmp_path) as made:
        made.make(Kind.SETTINGS, profile="alibaba")
        switches: dict[str, dict[str, Any]] = {"own": {"rules_per_group": 7}}
        for number, vpc in enumerate(("ali", "hw", "hw2", "own")):
            profile = "alibaba" if vpc == "ali" else "huawei"
            said = {"profile": profile, "switches": switches.get(vpc, {})}
            made.make(Kind.VPC, name=vpc, cidrs=[f"10.{number}.0.0/16"], **said)
            made.make(Kind.SUBNET, name=f"{vpc}-1", vpc=vpc, cidr=f"10.{number}.1.0/24")
        yield made


def group(resource: Resource) -> SecurityGroup:
    return cast("SecurityGroup", resource.value)


def said(town: Service, ref: str) -> list[str]:
    return sorted(str(cast("RuleOf", it.value).rule) for it in town.control.state.rules(ref))


def test_what_its_profile_says_holds_for_a_group(town: Service) -> None:
    """Defaults, what its rules may say, and limits: not what the settings say."""
    made = town.make(Kind.GROUP, name="g", profile="huawei", template="default")
    assert (group(made).profile, group(made).intra_group.value) == ("huawei", "drop")
    assert said(town, "g") == [f"{line.format(group='g')} priority 1" for line in HUAWEI.default_rules]
    assert town.control.state.world.profile_of(group(made)) == HUAWEI
    five = [("world.five_tuple", "rules.0")]
    assert (
        told(town.refused(lambda draft: rules.authorize(draft, "g", ["in allow tcp 9 from any to 10.1.1.1"]))) == five
    )
    used = {it.limit: (it.used, it.allowed) for it in quotas.usage(town.control.state, "operator") if it.of == made}
    assert used["rules_per_group"] == (4, HUAWEI.rules_per_group)
    most = [f"in allow tcp {port} from 0.0.0.0/0" for port in range(1, HUAWEI.rules_per_group - 3)]
    town.do(lambda draft: rules.authorize(draft, "g", most))
    more = ["in allow tcp 99 from 0.0.0.0/0"]
    assert "huawei allows 50" in str(town.refused(lambda draft: rules.authorize(draft, "g", more)))
    town.make(Kind.QUOTA, target="operator", limits={"rules_per_group": 51})
    assert len(town.do(lambda draft: rules.authorize(draft, "g", more)).added) == 1


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, "world.group_vpc", "groups.x"),
        ({"profile": "alibaba"}, "world.group_vpc", "groups.x"),
        ({"profile": "huawei", "vpc": "ali"}, OTHER, "groups.x.profile"),
        ({"profile": "alibaba", "vpc": "hw"}, OTHER, "groups.x.profile"),
        ({"profile": "huawei", "type": "advanced"}, "world.group_type", "groups.x.type"),
        ({"profile": "aws"}, "input.notation", "profile"),
        ({"profile": 5}, "input.notation", "profile"),
    ],
)
def test_refused(town: Service, fields: dict[str, Any], code: str, field: str) -> None:
    error = town.refused(lambda draft: _create(draft, Kind.GROUP, {"name": "x", **fields}))
    assert (code, field) in told(error)


def _create(draft: Any, kind: Kind, fields: dict[str, Any]) -> Resource:
    from ringfence.control import basic

    return basic.create(draft, kind, fields)


def test_only_vpcs_of_its_profile_use_a_group(town: Service) -> None:
    town.make(Kind.GROUP, name="g", profile="huawei")
    for vpc in ("hw", "hw2"):
        town.make(Kind.INSTANCE, name=f"{vpc}-vm", ports=[{"subnet": f"{vpc}-1", "groups": ["g"]}])
    ports = [{"subnet": "ali-1", "groups": ["g"]}]
    error = town.refused(lambda draft: _create(draft, Kind.INSTANCE, {"name": "vm", "ports": ports}))
    assert told(error) == [(OTHER, "instances.vm.ports.eth0.groups")]
    assert "has the huawei profile" in str(error)
    with pytest.raises(Exception, match=r"profile of a group cannot be changed.*input\.fixed_field"):
        town.set(Kind.GROUP, "g", profile="alibaba")
    moved = town.do(lambda draft: cloning.clone(draft, "g", {"name": "in-hw", "vpc": "hw"})).group
    same = town.do(lambda draft: cloning.clone(draft, "g", {"name": "g2"})).group
    assert [(group(it).vpc, group(it).profile) for it in (moved, same)] == [("hw", ""), ("", "huawei")]


def test_a_default_group_for_each_profile(town: Service) -> None:
    """And for each VPC whose groups belong to it, or that has switches of its own."""
    for vpc in ("hw", "ali", "own", "hw2"):
        town.make(Kind.INSTANCE, name=f"{vpc}-vm", ports=[{"subnet": f"{vpc}-1"}])
    found = {it.id: group(it) for it in town.control.state.named("operator", Kind.GROUP, "default")}
    homes = {(it.vpc, it.profile): len(town.control.state.members(id_)) for id_, it in found.items()}
    assert homes == {("", "huawei"): 2, ("ali", ""): 1, ("own", ""): 1}


def test_a_group_of_no_profile_follows_the_settings(tmp_path: Path) -> None:
    """As it did before groups had one; one that says the same as the settings does not."""
    with Service.fresh(tmp_path) as plain:
        plain.make(Kind.GROUP, name="old")
        plain.make(Kind.GROUP, name="named", profile="huawei")
        error = plain.refused(lambda draft: _create(draft, Kind.SETTINGS, {"profile": "alibaba"}))
        assert told(error) == [("world.group_vpc", "groups.old")]
        plain.delete(Kind.GROUP, "old")
        plain.make(Kind.SETTINGS, profile="alibaba", switches={"groups_per_port": 3})
        world = plain.control.state.world
        assert world.profile_of(world.groups["named"]) == HUAWEI
        assert world.profile_of(SecurityGroup("x", profile="alibaba")) == replace(ALIBABA, groups_per_port=3)
        old = plain.make(Kind.GROUP, name="x", profile="huawei").as_json()
        del old["profile"]
        assert group(Resource.of(old)).profile == ""


def test_a_file_says_the_profile(town: Service) -> None:
    """An export has it, and a file whose ports name no group gets a default group of their VPCs' profile."""
    for vpc in ("hw", "hw2"):
        town.make(Kind.INSTANCE, name=f"{vpc}-vm", ports=[{"subnet": f"{vpc}-1"}])
    text = worldfile.dump(world_of(town.control.state, "operator"))
    assert "profile: huawei\n    type: basic" in text
    assert not town.do(lambda draft: apply(draft, worldfile.parse(text, "export"))).plan.changes
    written = """
        profile: alibaba
        vpcs:
          a: {profile: huawei, cidrs: [10.0.0.0/16], subnets: {web: 10.0.1.0/24}}
          b: {profile: huawei, cidrs: [10.1.0.0/16], subnets: {db: 10.1.1.0/24}}
        groups:
          g: {profile: huawei, rules: [in allow tcp 80 from any]}
        instances:
          one: {subnet: web, ip: 10.0.1.11, groups: g}
          two: {subnet: a/web, ip: 10.0.1.12}
          three: {subnet: b/db, ip: 10.1.1.12}
    """
    world = worldfile.parse(written, "file")
    assert (world.groups["g"].profile, world.groups["default"].profile) == ("huawei", "huawei")
    assert worldfile.parse(worldfile.dump(world), "again") == world
