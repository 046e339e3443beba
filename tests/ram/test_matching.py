"""Wildcards, names of resources and the registry of actions."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.errors import NotationError
from ringfence.ram.actions import ACTIONS
from ringfence.ram.arn import SECURITY_GROUP, TYPES, USER, Arn, ResourceType, acs_expression, huawei_expression
from ringfence.ram.wildcard import any_of, expression
from tests.ram.oracle import like, like_fields

WORDS = st.text("ab:/.\n", max_size=8)
PATTERNS = st.text("ab:/.\n*?", max_size=8)
RUNS = st.lists(st.sampled_from(["*", "*", "a", "b", "?", "\n"]), max_size=9).map("".join)
FIELD = st.text("ab*?", min_size=1, max_size=4)


@settings(max_examples=400)
@given(st.lists(RUNS, min_size=1, max_size=2), st.text("aab\n", max_size=7))
def test_the_matcher_is_the_slow_one(patterns: list[str], text: str) -> None:
    fast = any_of(map(expression, patterns)).fullmatch(text) is not None
    assert fast == any(like(pattern, text) for pattern in patterns)


def test_a_hostile_pattern_costs_no_more_than_its_length() -> None:
    began = perf_counter()
    match = any_of([expression("*a" * 2000 + "b"), ":".join([expression("*a" * 500 + "b", "[^:]")] * 4)]).fullmatch
    assert not match("a" * 2500)
    assert not match(":".join(["a" * 600] * 4))
    assert perf_counter() - began < 2


@given(
    st.tuples(FIELD, FIELD, FIELD, PATTERNS.filter(bool)),
    st.tuples(*[st.text("ab", min_size=1, max_size=3)] * 3, WORDS.filter(bool)),
)
def test_a_pattern_of_resources_matches_field_by_field(
    pattern: tuple[str, ...], name: tuple[str, str, str, str]
) -> None:
    service, region, account, last = name
    huawei = any_of([huawei_expression(f"{pattern[0]}:{pattern[1]}:{pattern[2]}:a*:{pattern[3]}")])
    acs = any_of([acs_expression(f"acs:{':'.join(pattern)}")])
    arn = Arn(ResourceType(service, "ab", service, "ab"), region, account, last)
    assert (acs.fullmatch(arn.acs) is not None) == like_fields(f"acs:{':'.join(pattern)}", arn.acs, 5)
    slow = like_fields(f"{':'.join(pattern[:3])}:a*:{pattern[3]}", arn.huawei, 5)
    assert (huawei.fullmatch(arn.huawei) is not None) == slow


def test_an_id_that_looks_like_more_fields_is_still_an_id() -> None:
    """Names of things are chosen by tenants: none may make its resource look like another's."""
    sly = Arn(SECURITY_GROUP, "r1", "t1", "x:t2:securitygroup/y")
    for pattern in ("acs:ecs:*:t2:*", "acs:*:r1:t2:*", "acs:ecs:r1:*2:*"):
        assert not any_of([acs_expression(pattern)]).fullmatch(sly.acs)
    slyer = Arn(SECURITY_GROUP, "r1", "t1", "a:t2:securityGroup:y")
    for pattern in ("vpc:*:t2:securityGroup:*", "vpc:r1:*2:*:*", "vpc:*:*:*:y", "vpc:r1:t1:*p:y"):
        assert not any_of([huawei_expression(pattern)]).fullmatch(slyer.huawei)
    assert any_of([huawei_expression("vpc:*:t1:*:*:y")]).fullmatch(slyer.huawei)


@given(st.sampled_from(TYPES), st.text("ab-1", max_size=5), st.text("ab-1", max_size=5), WORDS.filter(bool))
def test_a_resource_is_read_back_from_both_forms(known: ResourceType, region: str, account: str, identity: str) -> None:
    arn = Arn(known, region, account, identity)
    assert Arn.parse(arn.acs) == Arn.parse(arn.huawei) == arn


def test_resources_are_called_as_the_clouds_call_them() -> None:
    group, user = Arn(SECURITY_GROUP, "cn-hangzhou", "t1", "sg-web"), Arn(USER, "", "t1", "ann")
    assert str(group) == "acs:ecs:cn-hangzhou:t1:securitygroup/sg-web"
    assert group.huawei == "vpc:cn-hangzhou:t1:securityGroup:sg-web"
    assert str(user) == "acs:ram::t1:user/ann"
    assert any_of([acs_expression("acs:ram::t1:user/*")]).fullmatch(Arn(USER, "r1", "t1", "ann").acs)


@pytest.mark.parametrize(
    "text", ["", "acs:ecs:r:t", "acs:ecs:r:t:", "acs:ecs:r:t:securitygroup", "acs:ecs:r:t:disk/d", "vpc:r:t:disk:d"]
)
def test_what_names_no_resource_is_refused(text: str) -> None:
    with pytest.raises(NotationError):
        Arn.parse(text)
    with pytest.raises(NotationError):
        Arn(SECURITY_GROUP, "r:1", "t", "x")


def test_every_action_has_its_own_name_and_one_in_each_cloud() -> None:
    from ringfence.ram import actions

    constants = [value for name, value in vars(actions).items() if isinstance(value, actions.Action)]
    assert len({action.name for action in constants}) == len(constants) == len(ACTIONS) > 100
    assert all(ACTIONS[action.name] is action for action in constants)
    for action in constants:
        assert isinstance(action.resource, ResourceType)
        assert action.resource in TYPES
        assert action.ecs.count(":") == 1
        assert action.huawei.count(":") == 2
        assert len(action.ram_names) + len(action.iam_names) == 2 + len(action.also)


def test_the_operations_of_ecs_and_huawei_that_change_groups_are_there() -> None:
    """SEMANTICS.md 9.1 and 9.2, by name."""
    ram = {name for action in ACTIONS.values() for name in action.ram_names}
    iam = {name for action in ACTIONS.values() for name in action.iam_names}
    words = ("Create", "Delete", "Authorize", "Revoke", "Join", "Leave")
    assert {f"ecs:{word}SecurityGroup".lower() for word in words} <= ram
    assert {"ecs:modifysecuritygrouppolicy", "ecs:modifysecuritygroupegressrule", "vpc:createvpc"} <= ram
    kinds = ("securityGroups", "securityGroupRules")
    assert {f"vpc:{kind}:{word}".lower() for kind in kinds for word in ("create", "get", "update", "delete")} <= iam
    assert "vpc:quotas:list" in iam
