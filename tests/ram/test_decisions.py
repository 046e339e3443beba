"""What policies decide: the requirement's own policy, a table of decisions, and laws that hold of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ram import keys
from ringfence.ram.actions import ACTIONS, JOIN_SECURITY_GROUP
from ringfence.ram.arn import INSTANCE, SECURITY_GROUP, Arn
from ringfence.ram.evaluate import Decision, NamedPolicy, Outcome, Request, Target, decide
from ringfence.ram.policy import Policy
from tests.ram.draw import Document, documents, named, requests

NINE_ACTIONS = """
{
  "Version": "1",
  "Statement": [
    {
      "Effect": "Deny",
      "Action": [
        "ecs:AuthorizeSecurityGroup",
        "ecs:AuthorizeSecurityGroupEgress",
        "ecs:RevokeSecurityGroup",
        "ecs:RevokeSecurityGroupEgress",
        "ecs:ModifySecurityGroupRule",
        "ecs:ModifySecurityGroupEgressRule",
        "ecs:ModifySecurityGroupPolicy",
        "ecs:ModifySecurityGroupAttribute",
        "ecs:ConfigureSecurityGroupPermissions"
      ],
      "Resource": "*"
    }
  ]
}
"""
"""Requirement document 002, "How do I forbid RAM users to configure security group rules?", as written."""

RULE_CHANGES = {
    *("AuthorizeSecurityGroup", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroup", "RevokeSecurityGroupEgress"),
    *("ModifySecurityGroupRule", "ModifySecurityGroupEgressRule", "ImportSecurityGroupRules"),
}
WEB = Arn(SECURITY_GROUP, "r1", "t1", "sg-web")
EVERYTHING: Document = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def ask(documents: list[Any], action: str, *targets: Target, user: str = "ann", **context: Any) -> Decision:
    """The decision about an action on a group, under these documents."""
    policies = [NamedPolicy(f"p{number}", Policy.parse(document)) for number, document in enumerate(documents)]
    given_context = {getattr(keys, name): value for name, value in context.items()}
    return decide(policies, Request(user, ACTIONS[action], targets or (Target(WEB),), given_context))


def refused(documents: list[Any]) -> set[str]:
    """The actions that a user with these documents may not do."""
    return {name for name in ACTIONS if ask(documents, name).outcome is Outcome.EXPLICIT_DENY}


def test_the_nine_action_policy_forbids_just_what_it_is_for() -> None:
    """Beside the nine that it names, the import of rules: one more way to configure them."""
    expected = RULE_CHANGES | {"ModifySecurityGroupPolicy", "ModifySecurityGroupAttribute"}
    assert refused([NINE_ACTIONS]) == refused([EVERYTHING, NINE_ACTIONS]) == expected
    assert ask([EVERYTHING, NINE_ACTIONS], "DescribeSecurityGroupAttribute").allowed
    assert ask([EVERYTHING, NINE_ACTIONS], "JoinSecurityGroup").allowed
    reason = ask([EVERYTHING, NINE_ACTIONS], "AuthorizeSecurityGroup").reason
    assert reason == (
        "ecs:AuthorizeSecurityGroup on acs:ecs:r1:t1:securitygroup/sg-web is denied to user 'ann': "
        "Statement[0] of policy 'p1' denies it"
    )


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_the_umbrella_alone_is_every_change_of_rules(effect: str) -> None:
    said = {"Effect": effect, "Action": "ecs:ConfigureSecurityGroupPermissions", "Resource": "*"}
    document = {"Version": "1", "Statement": [said]}
    meant = Outcome.ALLOW if effect == "Allow" else Outcome.EXPLICIT_DENY
    assert {name for name in ACTIONS if ask([document], name).outcome is meant} == RULE_CHANGES


def one(effect: str = "Allow", version: str = "1", **elements: object) -> Document:
    """A document of one statement about everything, unless it says otherwise."""
    resource = {"Resource": "*"} if version == "1" and "NotResource" not in elements else {}
    action = {} if "NotAction" in elements else {"Action": "*"}
    return {"Version": version, "Statement": [{"Effect": effect, **action, **resource, **elements}]}


def on(operator: str, key: str, *values: str, effect: str = "Allow", version: str = "1") -> Document:
    """A document of one statement with one condition."""
    return one(effect, version, Condition={operator: {key: list(values)}})


ALLOW, DENY, NONE = Outcome.ALLOW, Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY
ADD, JOIN = "AuthorizeSecurityGroup", "JoinSecurityGroup"
PROD: Mapping[str, Any] = {"tags": {"env": "prod"}}
DEV: Mapping[str, Any] = {"tags": {"env": "dev"}}
BARE: Mapping[str, Any] = {"tags": {}}
HOME, AWAY = {"SOURCE_IP": "10.1.2.3"}, {"SOURCE_IP": "203.0.113.9"}
INSIDE = on("IpAddress", "acs:SourceIp", "10.0.0.0/8", "fd00::/8")
TIME = "acs:CurrentTime"
NOON = "2026-11-22T12:00:00Z"
TABLE: list[tuple[list[Document], str, Mapping[str, Any], Outcome]] = [
    # no policy, and which wins
    ([], ADD, {}, NONE),
    ([one()], ADD, {}, ALLOW),
    ([one("Deny")], ADD, {}, DENY),
    ([one(), one("Deny")], ADD, {}, DENY),
    ([one("Deny", Action="vpc:*"), one()], ADD, {}, ALLOW),
    # actions
    ([one(Action="ECS:authorizesecuritygroup")], ADD, {}, ALLOW),
    ([one(Action="ecs:Authorize*")], ADD, {}, ALLOW),
    ([one(Action="ecs:Authorize*")], JOIN, {}, NONE),
    ([one(Action="ecs:AuthorizeSecurityGrou?")], "AuthorizeSecurityGroupEgress", {}, NONE),
    ([one(Action=["ram:*", "*:Join*"])], JOIN, {}, ALLOW),
    ([one(NotAction="ecs:Authorize*")], ADD, {}, NONE),
    ([one(NotAction="ecs:Authorize*")], JOIN, {}, ALLOW),
    ([one("Deny", NotAction="ecs:Join*"), one()], ADD, {}, DENY),
    ([one(Action="vpc:*")], ADD, {}, NONE),
    ([one("Allow", "1.1", Action="vpc:securityGroupRules:*")], ADD, {}, ALLOW),
    ([one("Allow", "1.1", Action="vpc:*:get")], ADD, {}, NONE),
    ([one("Allow", "1.1", Action="VPC:securitygrouprules:Create")], ADD, {}, ALLOW),
    ([one("Allow", "1.1", Action="vpc:ports:update")], JOIN, {}, ALLOW),
    ([one("Allow", "1.1", Action="ecs:*:*")], ADD, {}, NONE),
    ([one(), one("Deny", "1.1", Action="vpc:securityGroupRules:create")], ADD, {}, DENY),
    # resources
    ([one(Resource="acs:ecs:*:*:*")], ADD, {}, ALLOW),
    ([one(Resource="acs:ecs:*:*:securitygroup/sg-web")], ADD, {}, ALLOW),
    ([one(Resource="acs:ecs:*:*:securitygroup/SG-web")], ADD, {}, NONE),
    ([one(Resource="acs:ecs:*:t2:securitygroup/*")], ADD, {}, NONE),
    ([one(Resource="acs:ecs:r2:*:securitygroup/*")], ADD, {}, NONE),
    ([one(Resource=["acs:vpc:*:*:*", "acs:ecs:r?:*:*group/sg-???"])], ADD, {}, ALLOW),
    ([one(NotResource="acs:ecs:*:*:securitygroup/sg-web")], ADD, {}, NONE),
    ([one(NotResource="acs:ecs:*:*:securitygroup/sg-db")], ADD, {}, ALLOW),
    ([one(NotResource="*")], ADD, {}, NONE),
    ([one("Allow", "1.1", Resource="vpc:*:*:securityGroup:sg-*")], ADD, {}, ALLOW),
    ([one("Allow", "1.1", Resource="vpc:*:*:securityGroup:sg-d*")], ADD, {}, NONE),
    # addresses
    ([INSIDE], ADD, HOME, ALLOW),
    ([INSIDE], ADD, AWAY, NONE),
    ([INSIDE], ADD, {}, NONE),
    ([INSIDE], ADD, {"SOURCE_IP": "fd00::7"}, ALLOW),
    ([INSIDE], ADD, {"SOURCE_IP": "::ffff:10.1.2.3"}, ALLOW),
    ([INSIDE], ADD, {"SOURCE_IP": "ten"}, NONE),
    ([one(), on("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", "fd00::/8", effect="Deny")], ADD, HOME, ALLOW),
    ([one(), on("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", "fd00::/8", effect="Deny")], ADD, AWAY, DENY),
    ([one(), on("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", effect="Deny")], ADD, {}, DENY),
    # several values: an Allow needs all of them, a Deny one
    ([on("IpAddress", "ecs:SecurityGroupSourceCidrIps", "10.0.0.0/8")], ADD, {"RULE_SOURCES": ("10.1.0.0/16",)}, ALLOW),
    (
        [on("IpAddress", "ecs:SecurityGroupSourceCidrIps", "10.0.0.0/8")],
        ADD,
        {"RULE_SOURCES": ("10.1.0.0/16", "0.0.0.0/0")},
        NONE,
    ),
    (
        [one(), on("StringEquals", "ecs:SecurityGroupSourceCidrIps", "0.0.0.0/0", effect="Deny")],
        ADD,
        {"RULE_SOURCES": ("10.1.0.0/16", "0.0.0.0/0")},
        DENY,
    ),
    ([on("IpAddress", "ecs:SecurityGroupSourceCidrIps", "::/0")], ADD, {"RULE_SOURCES": ()}, NONE),
    # tags, by all their names
    ([on("StringEquals", "ecs:tag/env", "prod")], ADD, PROD, ALLOW),
    ([on("StringEquals", "acs:ResourceTag/env", "dev", "prod")], ADD, PROD, ALLOW),
    ([on("StringEquals", "vpc:tag/env", "PROD")], ADD, PROD, NONE),
    ([on("StringEquals", "ecs:tag/Env", "prod")], ADD, PROD, NONE),
    ([on("StringEqualsIgnoreCase", "ecs:tag/env", "PROD")], ADD, PROD, ALLOW),
    ([on("StringNotEquals", "ecs:tag/env", "prod", "test")], ADD, DEV, ALLOW),
    ([on("StringNotEquals", "ecs:tag/env", "prod", "dev")], ADD, DEV, NONE),
    ([on("StringNotEquals", "ecs:tag/env", "prod")], ADD, BARE, ALLOW),
    ([on("StringNotEqualsIgnoreCase", "ecs:tag/env", "PROD")], ADD, PROD, NONE),
    ([on("StringLike", "ecs:tag/env", "p?o*")], ADD, PROD, ALLOW),
    ([on("StringLike", "ecs:tag/env", "P*")], ADD, PROD, NONE),
    ([on("StringNotLike", "ecs:tag/env", "p*", "t*")], ADD, DEV, ALLOW),
    ([on("StringLike", "acs:SourceIp", "10.1.*")], ADD, HOME, ALLOW),
    ([on("StringLike", "g:ResourceTag/env", "RO", version="1.1")], ADD, PROD, ALLOW),
    ([on("StringLike", "g:ResourceTag/env", "r*d", version="1.1")], ADD, PROD, NONE),
    ([on("StringEqualsAnyOf", "g:ResourceTag/env", "dev", "prod", version="1.1")], ADD, PROD, ALLOW),
    ([on("StringStartWith", "g:UserName", "AN", version="1.1")], ADD, {"USER_NAME": "ann"}, ALLOW),
    ([on("StringEndWith", "g:UserName", "a", version="1.1")], ADD, {"USER_NAME": "ann"}, NONE),
    ([on("StringNotEndWithAnyOf", "g:UserName", "b", "n", version="1.1")], ADD, {"USER_NAME": "ann"}, NONE),
    ([on("StringEndWithIfExists", "g:UserName", "x", version="1.1")], ADD, {}, ALLOW),
    ([on("StringEndWithIfExists", "g:UserName", "x", version="1.1")], ADD, {"USER_NAME": "ann"}, NONE),
    ([on("IsNull", "g:UserName", "true", version="1.1")], ADD, {}, ALLOW),
    ([on("IsNull", "g:UserName", "true", version="1.1")], ADD, {"USER_NAME": ""}, NONE),
    ([on("IsNullOrEmpty", "g:UserName", "true", version="1.1")], ADD, {"USER_NAME": ""}, ALLOW),
    ([on("IsNotNull", "g:UserName", "true", version="1.1")], ADD, {"USER_NAME": "ann"}, ALLOW),
    ([on("IsNotNull", "g:UserName", "true", version="1.1")], ADD, {}, NONE),
    # numbers, which tags may hold
    ([on("NumericEquals", "ecs:tag/n", "5")], ADD, {"tags": {"n": "5.0"}}, ALLOW),
    ([on("NumericLessThan", "ecs:tag/n", "5")], ADD, {"tags": {"n": "-12"}}, ALLOW),
    ([on("NumericGreaterThanEquals", "ecs:tag/n", "5")], ADD, {"tags": {"n": "12"}}, ALLOW),
    ([on("NumericGreaterThanEquals", "ecs:tag/n", "5")], ADD, {"tags": {"n": "many"}}, NONE),
    ([on("NumericNotEquals", "ecs:tag/n", "5", "6")], ADD, {"tags": {"n": "6"}}, NONE),
    ([on("NumberEqualsAnyOf", "g:ResourceTag/n", "5", "6", version="1.1")], ADD, {"tags": {"n": "6"}}, ALLOW),
    # times, whatever their zone
    ([on("DateLessThan", TIME, "2026-11-22T20:00:01+08:00")], ADD, {"CURRENT_TIME": NOON}, ALLOW),
    ([on("DateLessThan", TIME, "2026-11-22T20:00:00+08:00")], ADD, {"CURRENT_TIME": NOON}, NONE),
    ([on("DateEquals", TIME, "2026-11-22T20:00:00+08:00")], ADD, {"CURRENT_TIME": NOON}, ALLOW),
    ([on("DateGreaterThanEquals", TIME, NOON)], ADD, {"CURRENT_TIME": NOON}, ALLOW),
    ([on("DateGreaterThan", "g:CurrentTime", NOON, version="1.1")], ADD, {"CURRENT_TIME": NOON}, NONE),
    # booleans
    ([on("Bool", "acs:MFAPresent", "true")], ADD, {"MFA_PRESENT": "true"}, ALLOW),
    ([on("Bool", "acs:MFAPresent", "true")], ADD, {"MFA_PRESENT": "false"}, NONE),
    ([on("Bool", "acs:MFAPresent", "true")], ADD, {}, NONE),
    ([one(), on("Bool", "acs:SecureTransport", "false", effect="Deny")], ADD, {"SECURE_TRANSPORT": "false"}, DENY),
    ([on("Bool", "g:MFAPresent", "true", version="1.1")], ADD, {"MFA_PRESENT": "true"}, ALLOW),
    # keys and operators AND
    ([one(Condition={"StringLike": {"ecs:tag/env": "p*", "ecs:tag/n": "1"}})], ADD, PROD, NONE),
    (
        [one(Condition={"StringLike": {"ecs:tag/env": "p*"}, "IpAddress": {"acs:SourceIp": "10.0.0.0/8"}})],
        ADD,
        {**PROD, **HOME},
        ALLOW,
    ),
    (
        [one(Condition={"StringLike": {"ecs:tag/env": "p*"}, "IpAddress": {"acs:SourceIp": "10.0.0.0/8"}})],
        ADD,
        {**PROD, **AWAY},
        NONE,
    ),
]


@pytest.mark.parametrize(("documents", "action", "given_facts", "outcome"), TABLE)
def test_decisions(documents: list[Document], action: str, given_facts: Mapping[str, Any], outcome: Outcome) -> None:
    facts = dict(given_facts)
    target = Target(WEB, facts.pop("tags", {}))
    decision = ask(documents, action, target, **facts)
    assert decision.outcome is outcome
    assert decision.allowed is (outcome is ALLOW)
    assert (decision.statement is None) is (outcome is NONE)
    assert ask(documents, action, target, user="", **facts).allowed


def test_every_resource_of_a_request_must_be_allowed() -> None:
    vm = Arn(INSTANCE, "r1", "t1", "i-1")
    group_only = one(Action="ecs:JoinSecurityGroup", Resource="acs:ecs:*:*:securitygroup/*")
    instances = one(Action="ecs:JoinSecurityGroup", Resource="acs:ecs:*:*:instance/*")
    no_vm = one("Deny", Resource="acs:ecs:*:*:instance/i-1")
    both = (Target(WEB), Target(vm))
    denied = ask([group_only], "JoinSecurityGroup", *both)
    assert (denied.outcome, denied.resource) == (NONE, vm)
    assert denied.reason.endswith("is denied to user 'ann': no statement of the user's policies allows it")
    assert ask([group_only, instances], "JoinSecurityGroup", *both).allowed
    last = ask([instances, no_vm], "JoinSecurityGroup", *both)
    assert (last.outcome, last.policy, last.resource) == (DENY, "p1", vm)
    nothing = decide([NamedPolicy("all", Policy.parse(one()))], Request("ann", JOIN_SECURITY_GROUP, ()))
    assert nothing.outcome is NONE
    assert "names no resource" in nothing.reason


@given(named(), named(("Allow",)), requests())
def test_an_allow_opens_no_explicit_deny(policies: list[NamedPolicy], more: list[NamedPolicy], it: Request) -> None:
    if decide(policies, it).outcome is DENY:
        assert decide([*policies, *more], it).outcome is DENY
        assert decide([*more, *policies], it).outcome is DENY


@given(named(), named(("Deny",)), requests())
def test_a_deny_opens_nothing(policies: list[NamedPolicy], more: list[NamedPolicy], it: Request) -> None:
    if not decide(policies, it).allowed:
        assert not decide([*policies, *more], it).allowed


@given(st.lists(documents(), min_size=1, max_size=3), requests(), st.randoms(use_true_random=False))
def test_order_does_not_matter(said: list[Document], it: Request, random: Any) -> None:
    first = decide([NamedPolicy("p", Policy.parse(document)) for document in said], it)
    for document in said:
        random.shuffle(document["Statement"])
    random.shuffle(said)
    assert decide([NamedPolicy("p", Policy.parse(document)) for document in said], it).outcome is first.outcome


@given(named(), requests())
def test_several_resources_and_values_are_no_more_than_each_of_them(policies: list[NamedPolicy], it: Request) -> None:
    """Nothing that is refused alone gets through in company."""
    alone = [Request(it.user, it.action, (target,), it.context) for target in it.targets]
    assert decide(policies, it).allowed == all(decide(policies, each).allowed for each in alone)
    several = it.context.get(keys.SOURCE_IP)
    if isinstance(several, tuple) and decide(policies, it).allowed:
        for value in several:
            single = Request(it.user, it.action, it.targets, {**it.context, keys.SOURCE_IP: value})
            assert decide(policies, single).allowed
