"""What belongs to a managed service: a tenant may edit everything else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Rule
from ringfence.model.validation import Touched, tenant_edit_problems
from ringfence.model.world import World, by_name
from ringfence.policy.change import Change
from ringfence.worldfile import parse
from tests.full_worlds import full_worlds

CODE = "InvalidOperation.ResourceManagedByCloudProduct"
BEFORE = """\
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}}
groups:
  sg:
    - in allow tcp 22 from 10.9.0.0/16
    - in allow tcp 3306 from 100.104.0.0/16 managed dms
  nat: {managed: nat-gateway, rules: [in allow all from any]}
  cfw: {managed: firewall}
  free: []
  other: []
instances:
  x: {subnet: web, ip: 10.0.1.11, groups: sg}
  y: {subnet: web, ip: 10.0.1.12, groups: [free, nat]}
"""
MANAGED_RULE = "in allow tcp 3306 from 100.104.0.0/16 managed dms"

EDITS = {
    "nothing": ("", "", []),
    "a rule of one's own changes": ("tcp 22", "tcp 23", []),
    "one's own group goes": ("  other: []\n", "", []),
    "a managed rule is edited": (
        "100.104.0.0/16",
        "100.104.0.0/17",
        ["groups.sg", "groups.sg.rules.1"],
    ),  # one goes, one comes
    "its description is edited": (" managed dms", ' managed dms "mine"', ["groups.sg.rules.1"]),
    "it is switched off": (" managed dms", " managed dms disabled", ["groups.sg.rules.1"]),
    "it loses its mark": (" managed dms", "", ["groups.sg.rules.1"]),
    "it goes": (f"    - {MANAGED_RULE}\n", "", ["groups.sg"]),
    "one's own rule gets a mark": ("10.9.0.0/16", "10.9.0.0/16 managed dms", ["groups.sg.rules.0"]),
    "a managed rule comes": ("  free: []", "  free: [in allow tcp 80 from any managed dts]", ["groups.free.rules.0"]),
    "a managed group is edited": ("[in allow all from any]", "[]", ["groups.nat"]),
    "a managed group goes": ("  cfw: {managed: firewall}\n", "", ["groups.cfw"]),
    "a managed group comes": ("  other: []", "  other: {managed: slb}", ["groups.other"]),
    "a port joins": ("groups: sg}", "groups: [sg, nat]}", ["instances.x.ports.eth0.groups"]),
    "a port leaves": ("[free, nat]", "free", ["instances.y.ports.eth0.groups"]),
    "an instance goes": ("  y: {subnet: web, ip: 10.0.1.12, groups: [free, nat]}\n", "", []),
    "an instance comes": (
        "instances:",
        "instances:\n  z: {subnet: web, ip: 10.0.1.13, groups: nat}",
        ["instances.z.ports.eth0.groups"],
    ),
}


@pytest.mark.parametrize("title", EDITS)
def test_edits_of_a_tenant(title: str) -> None:
    old, new, expected = EDITS[title]
    assert old in BEFORE
    before, after = parse(BEFORE, "before"), parse(BEFORE.replace(old, new, 1), "after")
    found = tenant_edit_problems(before, after)
    change = Change.between(before, after)
    touched = Touched(groups=change.groups, instances=change.instances)
    assert tenant_edit_problems(before, after, touched) == found
    assert sorted(".".join(map(str, problem.path)) for problem in found) == expected
    assert {problem.code for problem in found} <= {CODE}
    assert all("belongs to" in problem.what and problem.right for problem in found)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(full_worlds(), st.booleans())
def test_taking_or_setting_every_mark_is_told_for_each_and_doing_nothing_never(world: World, take: bool) -> None:
    unmarked = replace(world, groups=by_name(map(without_marks, world.groups.values())))
    before, after = (world, unmarked) if take else (unmarked, world)
    managed = {group.name for group in world.groups.values() if group.managed}
    rules = [rule for group in world.groups.values() if group.name not in managed for rule in group.rules]
    found = tenant_edit_problems(before, after)
    assert len(found) == len(managed) + sum(bool(rule.managed) for rule in rules)
    assert tenant_edit_problems(world, world) == tenant_edit_problems(unmarked, unmarked) == ()


def without_marks(group: SecurityGroup) -> SecurityGroup:
    return replace(group, managed="", rules=tuple(_without_mark(rule) for rule in group.rules))


def _without_mark(rule: Rule) -> Rule:
    return replace(rule, managed="")
