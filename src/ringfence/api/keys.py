"""Routes for access keys and tokens, and for who one is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from ringfence.api.call import Answer, Call
from ringfence.api.changes import change
from ringfence.api.resources import changed_schema, schema_of
from ringfence.api.route import CHANGE, Route, Schema
from ringfence.control.draft import Draft
from ringfence.control.identity import TOKEN_HOURS
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.ram import actions as ram
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.values import User
from ringfence.security.keys import is_token
from ringfence.security.secret import Secret

_KEY: Schema = {
    "type": "object",
    "properties": {"user": {"type": "string", "description": "a user, by id or name; the account itself, if empty"}},
    "additionalProperties": False,
}
_SECRET: Schema = {"type": ["string", "null"], "description": "told once; null in a dry run and in a repeated answer"}
_HOURS: Schema = {
    "type": "object",
    "properties": {"hours": {"type": "integer", "minimum": 1, "maximum": 168, "default": TOKEN_HOURS}},
    "additionalProperties": False,
}
_TEXT: Schema = {"type": "string"}
_TOKEN: Schema = {
    "type": "object",
    "required": ["token", "expires"],
    "properties": {"token": _TEXT, "expires": _TEXT},
}
_REVOKED: Schema = {"type": "object", "required": ["revoked"], "properties": {"revoked": {"type": "boolean"}}}
_ME: Schema = {
    "type": "object",
    "required": ["account", "home", "user", "key_id", "operator", "service", "policies"],
    "properties": {
        **dict.fromkeys(("account", "home", "user", "user_name", "key_id", "service"), _TEXT),
        "operator": {"type": "boolean"},
        "policies": {"type": "array", "items": {"type": "object"}},
    },
}


def routes() -> Iterator[Route]:
    """The routes."""
    yield Route(
        "POST",
        "/v1/access-keys",
        "create_access_key",
        "Make an access key; its secret is told this once.",
        (ram.CREATE_ACCESS_KEY,),
        _create_key,
        CHANGE,
        _KEY,
        answer=changed_schema(schema_of(FORMS[Kind.ACCESS_KEY]), secret=_SECRET),
        status=201,
    )
    yield Route(
        "POST",
        "/v1/tokens",
        "create_token",
        "Make a token for oneself: whoever has it is taken for the caller until it expires.",
        (ram.CREATE_TOKEN,),
        _create_token,
        body=_HOURS,
        own=True,
        answer=_TOKEN,
        status=201,
    )
    yield Route(
        "DELETE",
        "/v1/tokens/current",
        "revoke_token",
        "Make the token that the request came with worthless.",
        (ram.REVOKE_TOKEN,),
        _revoke_token,
        answer=_REVOKED,
        own=True,
    )
    yield Route(
        "GET", "/v1/me", "get_me", "Show who the caller is.", (ram.GET_CALLER_IDENTITY,), _me, answer=_ME, own=True
    )


def _create_key(call: Call) -> Answer:
    said, made = call.checked(_KEY), list[Secret]()

    def work(draft: Draft) -> dict[str, Any]:
        key, secret = call.service.identities.create_key(draft, said.get("user", ""))
        made.append(secret)
        return {"item": key.shown()}

    answer = change(call, ram.CREATE_ACCESS_KEY.name, work, status=201)
    secret = made[0].reveal() if made and not answer.body["dry_run"] else None
    return replace(answer, body=answer.body | {"secret": secret}, headers={**answer.headers, **_NOT_KEPT})


_NOT_KEPT = {"cache-control": "no-store"}


def _create_token(call: Call) -> Answer:
    hours = call.checked(_HOURS).get("hours", TOKEN_HOURS)
    with call.control.change(call.caller, ram.CREATE_TOKEN.name) as draft:
        draft.require_own(ram.CREATE_TOKEN)
    token, expires = call.service.identities.log_in(call.caller, hours)
    return Answer({"token": token.reveal(), "expires": expires}, 201, _NOT_KEPT)


def _revoke_token(call: Call) -> Answer:
    token = call.headers.get("authorization", "").partition(" ")[2]
    if not is_token(token):
        what = "the request was signed with an access key, and came with no token"
        raise InvalidFields((FieldProblem("Authorization", what, "send the token as Bearer", "auth.token"),))
    with call.control.change(call.caller, ram.REVOKE_TOKEN.name) as draft:
        draft.require_own(ram.REVOKE_TOKEN)
    call.service.identities.log_out(Secret(token))
    return Answer({"revoked": True})


def _me(call: Call) -> Answer:
    caller, state = call.caller, call.control.state
    call.control.authority.require_own(caller, ram.GET_CALLER_IDENTITY)
    user = state.get(Kind.USER, caller.user)
    policies = [state.get(Kind.POLICY, id_) for id_ in cast("User", user.value).policies] if user else []
    return Answer(
        {
            "account": caller.account,
            "home": caller.home or caller.account,
            "user": caller.user,
            "user_name": user.name if user else "",
            "key_id": caller.key_id,
            "operator": caller.operator,
            "service": caller.service,
            "policies": [{"id": it.id, "name": it.name} for it in policies if it],
        }
    )
