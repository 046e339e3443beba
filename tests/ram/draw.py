"""Hypothesis strategies: policies of both versions as documents, and requests that they may be about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ringfence.ram import keys
from ringfence.ram.actions import ACTIONS
from ringfence.ram.arn import TYPES, Arn
from ringfence.ram.evaluate import NamedPolicy, Request, Target
from ringfence.ram.policy import Policy

Document = dict[str, Any]

_ACTIONS = tuple(ACTIONS[name] for name in ("AuthorizeSecurityGroup", "JoinSecurityGroup", "CreateVpc", "CreateUser"))
_IDS = ("sg-web", "sg-db", "i-1", "*", "a/b:c")
_RAM = ("*", "ecs:*", "ecs:Authorize*", "vpc:Create?pc", "ram:*", "ECS:joinsecuritygroup", "ecs:JoinSecurityGroup")
_IAM = ("*", "vpc:*:*", "vpc:securityGroupRules:*", "*:*:create", "vpc:ports:update", "iam:users:*")
_ACS = ("*", "acs:ecs:*:*:*", "acs:ecs:*:t1:securitygroup/sg-*", "acs:vpc:r1:*:vpc/*", "acs:*:*:t?:*", "acs:ram::*:*")
_HUAWEI = ("*", "vpc:*:*:*:*", "vpc:*:t1:securityGroup:sg-*", "vpc:r1:*:vpc:*", "*:*:t?:*:*", "iam:*:*:user:*")
_TESTS = {
    "String{}Equals": ("tag", ("prod", "dev", "Prod")),
    "String{}EqualsIgnoreCase": ("tag", ("PROD", "dev")),
    "String{}Like": ("tag", ("p*d", "?ev", "dev")),
    "{}IpAddress": ("SourceIp", ("10.0.0.0/8", "192.0.2.7", "fd00::/8")),
    "Bool": ("MFAPresent", ("true", "false")),
    "DateLessThan": ("CurrentTime", ("2026-11-22T09:30:00Z", "2026-11-22T10:30:00+08:00")),
}


def texts(values: tuple[str, ...]) -> SearchStrategy[str | list[str]]:
    """One of these, or a list of some."""
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3)


@st.composite
def conditions(draw: DrawFn, scope: str, tag: str) -> Document:
    """A Condition element."""
    said: Document = {}
    for form in draw(st.lists(st.sampled_from(list(_TESTS)), min_size=1, max_size=2)):
        key, values = _TESTS[form]
        name = form.format(draw(st.sampled_from(["", "Not"])))
        said.setdefault(name, {})[f"{tag}env" if key == "tag" else f"{scope}:{key}"] = draw(texts(values))
    return said


@st.composite
def statements(draw: DrawFn, version: str, effects: tuple[str, ...] = ("Allow", "Deny")) -> Document:
    """One statement of a version."""
    ram = version == "1"
    not_action = "Not" if ram and draw(st.booleans()) else ""
    not_resource = "Not" if ram and draw(st.booleans()) else ""
    said: Document = {"Effect": draw(st.sampled_from(effects))}
    said[f"{not_action}Action"] = draw(texts(_RAM if ram else _IAM))
    if ram or draw(st.booleans()):
        said[f"{not_resource}Resource"] = draw(texts(_ACS if ram else _HUAWEI))
    if draw(st.booleans()):
        said["Condition"] = draw(conditions("acs", "ecs:tag/") if ram else conditions("g", "g:ResourceTag/"))
    return said


@st.composite
def documents(draw: DrawFn, effects: tuple[str, ...] = ("Allow", "Deny")) -> Document:
    """A policy document of either version."""
    version = draw(st.sampled_from(["1", "1.1"]))
    return {"Version": version, "Statement": draw(st.lists(statements(version, effects), min_size=1, max_size=4))}


def named(effects: tuple[str, ...] = ("Allow", "Deny")) -> SearchStrategy[list[NamedPolicy]]:
    """The policies of a user."""
    each = documents(effects).map(lambda document: NamedPolicy("p", Policy.parse(document)))
    return st.lists(each, max_size=3)


@st.composite
def targets(draw: DrawFn) -> Target:
    """A resource with or without a tag."""
    known, region = draw(st.sampled_from(TYPES[:5])), draw(st.sampled_from(["r1", "r2"]))
    arn = Arn(known, region, draw(st.sampled_from(["t1", "t2"])), draw(st.sampled_from(_IDS)))
    return Target(arn, draw(st.sampled_from([{}, {"env": "prod"}, {"env": "dev"}])))


def contexts() -> SearchStrategy[Mapping[str, str | tuple[str, ...]]]:
    """What a request may bring along; each key may be missing."""
    return st.fixed_dictionaries(
        {},
        optional={
            keys.SOURCE_IP: st.sampled_from(["10.1.2.3", "192.0.2.7", "fd00::1", ("10.1.2.3", "192.0.2.8")]),
            keys.MFA_PRESENT: st.sampled_from(["true", "false"]),
            keys.CURRENT_TIME: st.sampled_from(
                ["2026-11-22T09:00:00Z", "2026-11-22T09:30:00Z", "2026-11-22T02:00:00Z"]
            ),
        },
    )


@st.composite
def requests(draw: DrawFn) -> Request:
    """Somebody's request about one to three resources."""
    several = tuple(draw(st.lists(targets(), min_size=1, max_size=3)))
    return Request("ann", draw(st.sampled_from(_ACTIONS)), several, draw(contexts()))
