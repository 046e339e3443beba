"""The forms of network ACLs, and of lines and policies that several of them share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.names import check_name
from ringfence.resources.fields import flag, listed, parsed, reference
from ringfence.resources.form import Form
from ringfence.resources.kind import Kind
from ringfence.resources.line_fields import lines_field, lines_refer
from ringfence.resources.naming import Called, Key
from ringfence.resources.values import AclPolicy

Fields = Mapping[str, Any]


def _acl(called: Called, fields: Fields) -> NetworkAcl:
    return NetworkAcl(called.id, fields["rules"], fields["vpc"], fields["enabled"], account=called.account)


def _acl_refers(it: NetworkAcl) -> Iterator[Key]:
    if it.vpc:
        yield Key(Kind.VPC, it.vpc)
    yield from lines_refer(it.rules)


ACL = Form(
    kind=Kind.ACL,
    plural="acls",
    prefix="acl",
    fields=(
        lines_field("rules", "its rules in their order", example="in allow tcp 80 from any to any"),
        reference("vpc", "the VPC whose subnets may use it; empty for any", default="", fixed=True),
        flag("enabled", "a disabled ACL denies everything but its fixed rules", default=True),
    ),
    build=_acl,
    parts=lambda it: {"rules": it.rules, "vpc": it.vpc, "enabled": it.enabled},
    refers=_acl_refers,
)


def _undirected(said: str) -> AclRule:
    rule = AclRule.parse(said)
    if rule.direction or rule.description:
        raise NotationError(f"{said!r} has a direction or a description", "leave it out: policies give the direction")
    return rule


ACL_LINE = Form(
    kind=Kind.ACL_LINE,
    plural="acl-lines",
    prefix="acll",
    fields=(parsed("rule", "the rule without a direction", _undirected, example="allow tcp 80 from any to any"),),
    build=lambda called, fields: fields["rule"],
    parts=lambda it: {"rule": it},
    refers=lambda it: lines_refer((it,)),
)


def _acl_policy_refers(it: AclPolicy) -> Iterator[Key]:
    yield from (Key(Kind.ACL_LINE, rule) for rule in it.rules)
    yield from (Key(Kind.ACL, acl) for acl in (*it.ingress_of, *it.egress_of))


def _acl_policy(called: Called, fields: Fields) -> AclPolicy:
    for name in ("rules", "ingress_of", "egress_of"):
        if len(set(fields[name])) < len(fields[name]):
            raise NotationError(f"{name} of {called.name or 'the policy'} name one twice", "name each once")
    return AclPolicy(**fields)


ACL_POLICY = Form(
    kind=Kind.ACL_POLICY,
    plural="acl-policies",
    prefix="aclp",
    fields=(
        listed("rules", "its rules (by id) in their order", check_name, default=(), longest=1000, example="acll-1"),
        listed("ingress_of", "the ACLs whose ingress rules they are", check_name, default=(), longest=1000),
        listed("egress_of", "the ACLs whose egress rules they are", check_name, default=(), longest=1000),
        flag("audited", "whether somebody has looked at it", default=False),
    ),
    build=_acl_policy,
    parts=lambda it: {name: getattr(it, name) for name in ("rules", "ingress_of", "egress_of", "audited")},
    refers=_acl_policy_refers,
)
