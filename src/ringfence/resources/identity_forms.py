"""The forms of accounts, users, access keys, policies and quotas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.names import check_name
from ringfence.model.profile import LIMITS
from ringfence.resources.fields import flag, listed, mapping, reference, text
from ringfence.resources.form import Form
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Called, Key
from ringfence.resources.values import AccessKey, Account, PolicyText, Quota, User

Fields = Mapping[str, Any]

EVERYBODY = "*"
"""The target of a quota that holds for every account."""

ACCOUNT = Form(
    kind=Kind.ACCOUNT,
    plural="accounts",
    prefix="acct",
    fields=(flag("operator", "whether it runs the service: it may act on every account", default=False, fixed=True),),
    build=lambda called, fields: Account(fields["operator"]),
    parts=lambda it: {"operator": it.operator},
    refers=lambda it: (),
)

USER = Form(
    kind=Kind.USER,
    plural="users",
    prefix="user",
    fields=(
        listed(
            "policies", "ids of the policies that hold for it", check_name, default=(), longest=100, example="read-only"
        ),
        flag("enabled", "whether it may do anything", default=True),
    ),
    build=lambda called, fields: User(fields["policies"], fields["enabled"]),
    parts=lambda it: {"policies": it.policies, "enabled": it.enabled},
    refers=lambda it: [Key(Kind.POLICY, policy) for policy in it.policies],
)


def _key_refers(it: AccessKey) -> Iterator[Key]:
    if it.user:
        yield Key(Kind.USER, it.user)


ACCESS_KEY = Form(
    kind=Kind.ACCESS_KEY,
    plural="access-keys",
    prefix="LTAI",
    fields=(
        reference("user", "whose it is; empty for the account itself", default="", fixed=True),
        replace(text("sealed", "the encrypted secret", longest=1024, fixed=True), hidden=True),
        flag("enabled", "whether requests signed with it are taken", default=True),
    ),
    build=lambda called, fields: AccessKey(fields["user"], fields["sealed"], fields["enabled"]),
    parts=lambda it: {"user": it.user, "sealed": it.sealed, "enabled": it.enabled},
    refers=_key_refers,
)

POLICY = Form(
    kind=Kind.POLICY,
    plural="policies",
    prefix="policy",
    fields=(text("document", "the policy as JSON text", longest=6144, default=""),),
    build=lambda called, fields: PolicyText(fields["document"]),
    parts=lambda it: {"document": it.document},
    refers=lambda it: (),
)


def _limits(given: Mapping[str, Any]) -> dict[str, int]:
    for name, value in given.items():
        if name not in LIMITS:
            raise NotationError(f"{name!r} is no limit", f"use one of {', '.join(LIMITS)}")
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:
            raise NotationError(f"{name} cannot be {value!r}", "use a number from 0 to 1000000")
    return dict(sorted(given.items()))


def _target(called: Called, fields: Fields) -> Quota:
    if not fields["limits"]:
        raise NotationError("the quota sets no limit", f"set one of {', '.join(LIMITS)}")
    return Quota(fields["target"] or EVERYBODY, fields["limits"])


def _quota_refers(it: Quota) -> Iterator[Key]:
    if it.target != EVERYBODY:
        yield Key(Kind.ACCOUNT, it.target)


QUOTA = Form(
    kind=Kind.QUOTA,
    plural="quotas",
    prefix="quota",
    fields=(
        text("target", "an account's id; * for every account", longest=128, default=EVERYBODY, fixed=True),
        mapping("limits", "limits by name", _limits, dict),
    ),
    build=_target,
    parts=lambda it: {"target": it.target, "limits": it.limits},
    refers=_quota_refers,
)
