"""Policy documents: what is read comes back, and what is not understood is refused with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ram.document import LIMIT, PolicyError
from ringfence.ram.policy import Policy
from tests.ram.draw import Document, documents

OK: Document = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}


def ram(**changes: object) -> Document:
    """A policy of Version 1 with one statement, changed."""
    return {"Version": "1", "Statement": [{**OK, **changes}]}


def iam(**changes: object) -> Document:
    """A policy of Version 1.1 with one statement, changed."""
    return {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": "vpc:*:*", **changes}]}


def when(operator: str, key: str, value: object, make: Any = ram) -> Document:
    """A policy with one condition."""
    return make(Condition={operator: {key: value}})  # type: ignore[no-any-return]


S = "Statement[0]"
REFUSED: list[tuple[object, str, str]] = [
    ("", "line 1, column 1", "not JSON"),
    ("[1", "line 1, column 3", "not JSON"),
    ("[" * 5000, "", "too deep"),
    ("1" * 6000, "", "number too long"),
    (" " * (LIMIT + 1), "", f"{LIMIT + 1} characters"),
    ('{"Version":"1","Version":"1"}', "", "'Version' stands twice"),
    (object(), "", "object is not JSON"),
    (b"{}", "", "bytes is not JSON"),
    ("[]", "", "an empty list stands where an object should be"),
    ("null", "", "null stands where an object should be"),
    ({}, "", "an empty object stands where an object should be"),
    ({"Statement": [OK]}, "", "there is no Version"),
    ({"Version": "1"}, "", "there is no Statement"),
    ({"Version": 1, "Statement": [OK]}, "Version", "1 stands where a string should be"),
    ({"Version": "2012-10-17", "Statement": [OK]}, "Version", "there is no Version '2012-10-17'"),
    ({"Version": "1", "Statement": []}, "Statement", "an empty list"),
    ({"Version": "1", "Statement": OK}, "Statement", "an object stands where a list should be"),
    ({"Version": "1", "Statement": [OK], "Id": "x"}, "Id", "there is no element 'Id'"),
    ({"Version": "1", "Statement": [OK, "x"]}, "Statement[1]", "a string stands where an object should be"),
    (ram(Efect="Deny"), f"{S}.Efect", "did you mean Effect?"),
    (ram(Principal="*"), f"{S}.Principal", "there is no element 'Principal'"),
    (ram(Effect="allow"), f"{S}.Effect", "there is no Effect 'allow'"),
    (ram(NotAction="ecs:*"), f"{S}.NotAction", "both Action and NotAction"),
    (ram(NotResource="*"), f"{S}.NotResource", "both Resource and NotResource"),
    ({"Version": "1", "Statement": [{"Effect": "Deny", "Action": "*"}]}, S, "there is no Resource"),
    ({"Version": "1", "Statement": [{"Effect": "Deny", "Resource": "*"}]}, S, "there is no Action"),
    ({"Version": "1", "Statement": [{"Action": "*", "Resource": "*"}]}, S, "there is no Effect"),
    (ram(Action=[]), f"{S}.Action", "an empty list"),
    (ram(Action=["ecs:*", 7]), f"{S}.Action[1]", "7 stands where a string"),
    (ram(Action=["ecs:*", "ecs"]), f"{S}.Action[1]", "'ecs' is not an action"),
    (ram(Action="vpc:securityGroups:create"), f"{S}.Action", "is not an action"),
    (ram(Action="ecs:Create Group"), f"{S}.Action", "is not an action"),
    (ram(Action=""), f"{S}.Action", "the string is empty"),
    (ram(Action="ecs:\ud800"), f"{S}.Action", "does not print"),
    (ram(Resource="acs:ecs:*:*"), f"{S}.Resource", "is not a resource"),
    (ram(Resource=["*", "vpc:*:*:vpc:*"]), f"{S}.Resource[1]", "is not a resource"),
    (ram(Resource="acs:ecs:*::*"), f"{S}.Resource", "is not a resource"),
    (ram(Condition={}), f"{S}.Condition", "an empty object"),
    (ram(Condition={"Bool": {}}), f"{S}.Condition.Bool", "an empty object"),
    (when("StringEqual", "ecs:tag/a", "x"), f"{S}.Condition.StringEqual", "did you mean StringEquals?"),
    (when("NumberEquals", "ecs:tag/a", "1"), f"{S}.Condition.NumberEquals", "no operator 'NumberEquals'"),
    (when("StringEqualsIfExists", "ecs:tag/a", "1"), f"{S}.Condition.StringEqualsIfExists", "no operator"),
    (when("Bool", "acs:MFAPresnt", "true"), f"{S}.Condition.Bool.acs:MFAPresnt", "did you mean acs:MFAPresent?"),
    (when("Bool", "oss:Prefix", "true"), f"{S}.Condition.Bool.oss:Prefix", "no condition key 'oss:Prefix'"),
    (when("StringEquals", "ecs:tag/", "x"), f"{S}.Condition.StringEquals.ecs:tag/", "no condition key"),
    (when("Bool", "acs:MFAPresent", True), f"{S}.Condition.Bool.acs:MFAPresent", "numbers and booleans too"),
    (when("Bool", "acs:MFAPresent", "yes"), f"{S}.Condition.Bool.acs:MFAPresent", "neither true nor false"),
    (when("Bool", "acs:SourceIp", "true"), f"{S}.Condition.Bool.acs:SourceIp", "compares a boolean"),
    (when("IpAddress", "acs:SourceIp", "10.0.0.1/8"), f"{S}.Condition.IpAddress.acs:SourceIp", "host bits"),
    (when("IpAddress", "acs:SourceIp", ["::/0", "ten"]), f"{S}.Condition.IpAddress.acs:SourceIp", "'ten'"),
    (when("NumericEquals", "ecs:tag/n", "nan"), f"{S}.Condition.NumericEquals.ecs:tag/n", "not a number"),
    (when("DateLessThan", "acs:CurrentTime", "2026-11-22"), f"{S}.Condition.DateLessThan.acs:CurrentTime", "a zone"),
    (
        when("DateLessThan", "acs:CurrentTime", "2026-02-30T00:00Z"),
        f"{S}.Condition.DateLessThan.acs:CurrentTime",
        "day",
    ),
    (iam(NotAction="*"), f"{S}.NotAction", "there is no element 'NotAction'"),
    (iam(Action="ecs:CreateVpc"), f"{S}.Action", "vpc:securityGroups:create"),
    (iam(Resource="acs:ecs:*:*:*"), f"{S}.Resource", "is not a resource of a policy of Version 1.1"),
    (when("NumericEquals", "g:UserId", "1", iam), f"{S}.Condition.NumericEquals", "no operator"),
    (when("Bool", "acs:MFAPresent", "true", iam), f"{S}.Condition.Bool.acs:MFAPresent", "no condition key"),
    (when("IsNull", "g:UserName", "false", iam), f"{S}.Condition.IsNull.g:UserName", "true"),
]


@pytest.mark.parametrize(("document", "where", "words"), REFUSED)
def test_what_is_not_understood_is_refused_with_its_place(document: object, where: str, words: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        Policy.parse(document)
    error = refusal.value
    assert (error.code, error.where) == ("ram.policy", where)
    assert words in str(error)
    assert error.right
    str(error).encode()


@given(documents())
def test_what_is_read_comes_back(document: Document) -> None:
    policy = Policy.parse(document)
    assert Policy.parse(str(policy)) == policy == Policy.parse(policy.as_json())
    assert str(Policy.parse(str(policy))) == str(policy)
    assert len(str(policy)) <= len(json.dumps(document, separators=(",", ":")))


ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = ["Version", "Statement", "Effect", "Action", "Resource", "Condition", "Bool", "acs:SourceIp", "ecs:tag/a"]
WORDS = st.sampled_from([*NAMES, "1", "1.1", "Allow", "Deny", "*", "ecs:*", "StringLike", "10.0.0.0/8", "true"])
JSON: st.SearchStrategy[object] = st.recursive(
    ATOMS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def broken(draw: st.DrawFn) -> Document:
    """A good document with one value replaced by anything."""
    document = draw(documents())
    statement = draw(st.sampled_from(document["Statement"]))
    inner = [statement, statement.get("Condition", statement), document]
    place = draw(st.sampled_from(inner))
    place[draw(st.sampled_from(sorted(place)) | WORDS)] = draw(JSON)
    return document


@given(JSON | broken() | st.text())
def test_whatever_is_given_is_a_policy_or_a_refusal(document: object) -> None:
    try:
        policy = Policy.parse(document)
    except PolicyError as error:
        str(error).encode()
    else:
        assert Policy.parse(str(policy)) == policy
