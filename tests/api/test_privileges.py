"""Policies as a user meets them over HTTP, and ways by which somebody might get more than they were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from ringfence.errors import Conflict, InUse
from ringfence.ram.actions import ACTIONS
from ringfence.resources.kind import Kind
from ringfence.security.signing import Request, signed_headers
from tests.api.asking import EVERYTHING, Account, Statement, Town, only
from tests.api.things import RULES_FILE, Ask, Ids, asks
from tests.ram.test_decisions import NINE_ACTIONS

CHANGES_OF_RULES = (
    *("create_rule", "update_rule", "delete_rule", "authorize_rules", "revoke_rules", "import_rules", "clone_group"),
    *("delete_group", "update_group"),
)
LOOKS = ("list_rules", "get_rule", "list_groups", "get_group", "export_rules", "list_members", "join_group", "get_vpc")


def give(here: Town, account: Account, *statements: Statement) -> str:
    """A policy for the user who is asked as; gives the user's token."""
    here.allow(account, *statements)
    return account.tokens["probe"]


def status(here: Town, ask: Ask, token: str) -> int:
    response = here.ask(ask, token)
    assert response.status_code in (200, 201, 403), response.text
    return response.status_code


def test_the_nine_action_policy_of_the_requirement_lets_users_look_at_rules_and_not_change_them(here: Town) -> None:
    tenant = here.tenant
    operator = here.served.client(tenant.id)
    with operator:
        policy = operator.post("/v1/policies", {"name": "no-rules", "document": NINE_ACTIONS})["item"]["id"]
        operator.patch(f"/v1/users/{tenant.users['probe']}", {"policies": [tenant.policy, policy]})
        token = give(here, tenant, EVERYTHING)
        before = rules(here, tenant)
        for name in LOOKS:
            assert {status(here, ask, token) for ask in asks(tenant.ids)[name]} <= {200, 201}, name
        for name in CHANGES_OF_RULES:
            for ask in asks(tenant.ids)[name]:
                if "tags" not in (ask.body or {}):
                    assert status(here, Ask(ask.method, ask.path, ask.body, ask.query, dry=False), token) == 403, ask
        group = {"name": "g", "vpc": tenant.ids["vpc"], "template": "default"}
        assert status(here, Ask("POST", "/v1/groups", group), token) == 403
        world = tenant.ids["world"].replace("in allow tcp 80 from any", "in allow tcp 1-65535 from any")
        assert status(here, Ask("POST", "/v1/apply", world), token) == 403
        assert rules(here, tenant) == before
        operator.patch(f"/v1/users/{tenant.users['probe']}", {"policies": [tenant.policy]})


def rules(here: Town, account: Account) -> list[str]:
    return [it.text() for it in here.served.control.state.owned(account.id, Kind.RULE)]


def when(operator: str, key: str, *values: str, effect: str = "Allow") -> Statement:
    """A statement about every action under one condition."""
    return {**EVERYTHING, "Effect": effect, "Condition": {operator: {key: list(values)}}}


def rule(i: Ids, text: str, *more: str) -> Ask:
    return Ask("POST", f"/v1/groups/{i['group']}/rules", {"rules": [text, *more]})


SOURCES = "ecs:SecurityGroupSourceCidrIps"
INSIDE = when("IpAddress", SOURCES, "10.0.0.0/8")
NOWHERE_ELSE = (EVERYTHING, when("NotIpAddress", SOURCES, "10.0.0.0/8", effect="Deny"))
NOT_THE_WORLD = (EVERYTHING, when("StringEquals", SOURCES, "0.0.0.0/0", effect="Deny"))
PROD, DEV = when("StringEquals", "ecs:tag/env", "prod"), when("StringEquals", "ecs:tag/env", "dev")
HTTPS = "acs:SecureTransport"


@pytest.mark.parametrize(
    ("statements", "what", "allowed"),
    [
        ([when("IpAddress", "acs:SourceIp", "127.0.0.0/8")], "look", True),
        ([when("IpAddress", "acs:SourceIp", "10.0.0.0/8")], "look", False),
        ([EVERYTHING, when("IpAddress", "acs:SourceIp", "127.0.0.1", effect="Deny")], "look", False),
        ([when("Bool", HTTPS, "true")], "look", False),
        ([when("Bool", HTTPS, "false")], "look", True),
        ([EVERYTHING, when("Bool", HTTPS, "false", effect="Deny")], "change", False),
        ([when("DateLessThan", "acs:CurrentTime", "2020-01-01T00:00:00Z")], "look", False),
        ([when("DateGreaterThan", "acs:CurrentTime", "2020-01-01T00:00:00Z")], "look", True),
        ([DEV], "change", True),
        ([PROD], "change", False),
        ([PROD], "retag", False),
        ([PROD], "retag by tags", False),
        ([DEV], "retag by tags", True),
        ([EVERYTHING, {**DEV, "Effect": "Deny"}], "retag", False),
        ([EVERYTHING, {**DEV, "Effect": "Deny"}], "untag", False),
        ([DEV, {**only([ACTIONS["TagResources"]]), "Effect": "Deny"}], "retag", False),
        ([DEV, {**only([ACTIONS["TagResources"]]), "Effect": "Deny"}], "change", True),
        ([DEV, {**only([ACTIONS["UntagResources"]]), "Effect": "Deny"}], "untag by change", False),
        ([DEV], "delete prod", False),
        ([INSIDE], "in allow tcp 1 from 10.1.0.0/16", True),
        ([INSIDE], "in allow tcp 1 from 11.0.0.0/8", False),
        ([INSIDE], "in allow tcp 1 from 0.0.0.0/0", False),
        ([INSIDE], "in allow tcp 1 from any", False),
        ([INSIDE], "two", False),
        ([INSIDE], "import", True),
        ([INSIDE], "widen", False),
        (NOWHERE_ELSE, "in allow tcp 1 from 10.1.0.0/16", True),
        (NOWHERE_ELSE, "in allow tcp 1 from any", False),
        (NOT_THE_WORLD, "in allow tcp 1 from any", False),
        (NOT_THE_WORLD, "in allow tcp 1 from 0.0.0.0/0", False),
        (NOT_THE_WORLD, "in allow tcp 1 from 10.0.0.0/8", True),
    ],
)
def test_conditions_hold_over_http(here: Town, statements: list[Statement], what: str, allowed: bool) -> None:
    i = here.tenant.ids
    group = f"/v1/groups/{i['group']}"
    known: Mapping[str, Ask] = {
        "look": Ask("GET", group),
        "change": Ask("PATCH", group, {"description": "d"}),
        "retag": Ask("PATCH", group, {"tags": {"env": "prod"}}),
        "retag by tags": Ask("PUT", f"{group}/tags", {"tags": {"env": "prod"}}),
        "untag": Ask("DELETE", f"{group}/tags", query={"key": "env"}),
        "untag by change": Ask("PATCH", group, {"tags": {}}),
        "delete prod": Ask("DELETE", f"/v1/policies/{here.tenant.policy}"),
        "two": rule(i, "in allow tcp 1 from 10.0.0.0/8", "in allow tcp 2 from 192.0.2.0/24"),
        "import": Ask("POST", f"/v1/groups/{i['idle_group']}/rules/import", RULES_FILE, {"format": "json"}),
        "widen": Ask("PATCH", f"/v1/rules/{i['rule']}", {"remote": "0.0.0.0/0"}),
    }
    ask = known.get(what) or rule(i, what)
    extra = [only([ACTIONS["ImportSecurityGroupRules"]])] if what == "import" else []
    token = give(here, here.tenant, *statements, *extra)
    assert status(here, ask, token) == (403 if not allowed else 200)


def test_what_a_policy_denies_to_see_nothing_tells_by_the_way(here: Town) -> None:
    """An analysis, a preview, a plan or a page of quotas that tells of everything, to whom one group is hidden."""
    i, why = here.tenant.ids, {"source": "web-1", "destination": "web-2", "service": "tcp/80"}
    hidden = {**only([ACTIONS["DescribeSecurityGroups"]], f"acs:*:*:*:securitygroup/{i['group']}"), "Effect": "Deny"}
    analyses = [
        *(Ask("GET", path, query=why) for path in ("/v1/why", "/v1/fix")),
        *(Ask("GET", path) for path in ("/v1/reach", "/v1/lint", "/v1/world")),
        Ask("POST", "/v1/plan", i["world"], dry=False),
    ]
    narrow = only([ACTIONS[name] for name in ("DescribeReachability", "DescribeFindings", "DescribeQuotas")])
    for ask in analyses:
        assert status(here, ask, give(here, here.tenant, EVERYTHING)) == 200, ask.path
        assert status(here, ask, give(here, here.tenant, EVERYTHING, hidden)) == 403, ask.path
        if ask.path not in ("/v1/world", "/v1/plan"):
            assert status(here, ask, give(here, here.tenant, narrow)) == 200, "its own action is enough"
            assert status(here, ask, give(here, here.tenant, narrow, hidden)) == 403, ask.path
    usage = Ask("GET", "/v1/quotas/usage", query={"fullest": "100"})
    for statements, told in (([narrow], True), ([narrow, hidden], False)):
        response = here.ask(usage, give(here, here.tenant, *statements))
        assert (i["group"] in response.text, i["other_group"] in response.text) == (told, True)


def test_rules_are_judged_by_the_tags_of_their_group(here: Town) -> None:
    """Policies name the group: the tags of a rule, which its writer chooses, let nobody in and keep nobody out."""
    i, line = here.tenant.ids, "in allow tcp 4242 from any"
    made: dict[str, dict[str, str]] = {}
    with here.served.client(here.tenant.id) as client:
        for env in ("prod", "dev"):
            said = {"name": env, "vpc": i["vpc"], "tags": {"env": env}}
            group = client.post("/v1/groups", said)["item"]["id"]
            (rule_,) = client.post(f"/v1/groups/{group}/rules", {"rules": ["in allow tcp 1 from any"]})["added"]
            made[env] = {"group": group, "rule": rule_["id"]}
    for env, allowed in (("prod", False), ("dev", True)):
        group, id_ = made[env]["group"], made[env]["rule"]
        asked = [
            Ask("POST", f"/v1/groups/{group}/rules", {"rules": [line]}),
            Ask("POST", f"/v1/groups/{group}/rules/revoke", {"ids": [id_]}),
            Ask("POST", "/v1/rules", {"group": group, "rule": line}),
            Ask("PATCH", f"/v1/rules/{id_}", {"priority": 9}),
            Ask("DELETE", f"/v1/rules/{id_}"),
            Ask("PUT", f"/v1/rules/{id_}/tags", {"tags": {"env": "dev"}}),
            Ask("GET", f"/v1/rules/{id_}"),
            Ask("POST", f"/v1/groups/{group}/rules", {"rules": [{"rule": line, "tags": {"env": "dev"}}]}),
            Ask("POST", "/v1/rules", {"group": group, "rule": line, "tags": {"env": "dev"}}),
        ]
        for statements in ([DEV], [EVERYTHING, {**PROD, "Effect": "Deny"}]):
            token = give(here, here.tenant, *statements)
            for ask in asked:
                assert status(here, ask, token) == (200 if allowed else 403), (env, ask, statements)
            told = here.ask(Ask("GET", "/v1/rules", query={"limit": "1000"}), token).text
            assert (id_ in told) is allowed
    token = give(here, here.tenant, DEV)
    for env, answer in (("prod", 403), ("dev", 200)):  # a group that comes with rules has its tags from the start
        group = {"name": f"new-{env}", "vpc": i["vpc"], "template": "default", "tags": {"env": env}}
        assert status(here, Ask("POST", "/v1/groups", group), token) == answer


def test_an_account_goes_only_empty_and_nobody_gets_what_its_id_has_seen(here: Town) -> None:
    """A key that an account left behind was good for the next one of that name, with all that was there."""
    with here.served.client() as root:
        id_ = root.post("/v1/accounts", {"name": "phoenix"})["item"]["id"]
        with here.served.client(id_) as acting:
            said = acting.post("/v1/access-keys", {})
            vpc = acting.post("/v1/vpcs", {"name": "old", "cidrs": ["10.99.0.0/16"]})["item"]["id"]
            for path in (f"/v1/vpcs/{vpc}", f"/v1/access-keys/{said['item']['id']}"):
                with pytest.raises(InUse):
                    root.delete(f"/v1/accounts/{id_}")
                acting.delete(path)
        root.delete(f"/v1/accounts/{id_}")
        with pytest.raises(Conflict) as caught:
            root.post("/v1/accounts", {"name": "phoenix"})
        assert (caught.value.reason, caught.value.field) == ("account.used", "name")
        for _ in range(2):  # who never did anything left nothing behind
            unused = root.post("/v1/accounts", {"name": "unused"})["item"]["id"]
            root.delete(f"/v1/accounts/{unused}")


RAM_ONLY: Statement = {"Effect": "Allow", "Action": "ram:*", "Resource": "*"}


def test_nobody_gives_themselves_more_than_they_were_given(here: Town) -> None:
    tenant = here.tenant
    i, me, key = tenant.ids, tenant.users["probe"], tenant.key.id
    users = ["CreateUser", "UpdateUser", "ListUsers", "ListPolicies", "UpdateAccessKey"]
    some = only([ACTIONS[name] for name in users])
    walks: list[tuple[Statement, str, str, Any]] = [
        (some, "POST", "/v1/users", {"name": "eve", "policies": [i["policy"]]}),
        (some, "PATCH", f"/v1/users/{me}", {"policies": [tenant.policy, i["idle_policy"]]}),
        (some, "PATCH", f"/v1/users/{i['user']}", {"policies": []}),
        (some, "PATCH", f"/v1/policies/{tenant.policy}", {"document": EVERYTHING}),
        (some, "POST", "/v1/policies", {"name": "all", "document": NINE_ACTIONS}),
        (some, "POST", "/v1/access-keys", {"user": i["user"]}),
        (some, "POST", "/v1/access-keys", {"user": me}),
        (some, "POST", "/v1/access-keys", {}),
        (RAM_ONLY, "POST", "/v1/access-keys", {}),
        (EVERYTHING, "POST", "/v1/access-keys", {"user": ""}),
        (EVERYTHING, "PATCH", f"/v1/access-keys/{key}", {"enabled": False}),
        (EVERYTHING, "DELETE", f"/v1/access-keys/{key}", None),
        (EVERYTHING, "POST", "/v1/accounts", {"name": "mine", "operator": True}),
        (EVERYTHING, "PUT", "/v1/quotas", {"target": tenant.id, "limits": {"vpcs_per_account": 1000}}),
        (EVERYTHING, "POST", "/v1/settings", {"profile": "alibaba"}),
        (EVERYTHING, "DELETE", f"/v1/penalties/{i['penalty']}", None),
        (EVERYTHING, "POST", "/v1/enforcement", {"agent": "a", "revision": 1, "status": "ok"}),
        (EVERYTHING, "GET", "/v1/watch", "everything"),
        (EVERYTHING, "GET", "/v1/snapshot", "everything"),
    ]
    for statement, method, path, body in walks:
        head = here.served.control.state.revision
        token = give(here, tenant, statement)
        ask = Ask(method, path, query={body: "true"}) if isinstance(body, str) else Ask(method, path, body, dry=False)
        response = here.ask(ask, token)
        assert response.status_code == 403, (method, path, response.text)
        assert here.served.control.state.revision <= head + 1, (method, path)  # the policy's own
    assert here.served.control.state.get(Kind.ACCESS_KEY, key)


def test_only_an_operator_acts_as_another_and_only_if_the_request_says_so_under_its_signature(here: Town) -> None:
    groups, tenant, stranger = Ask("GET", "/v1/groups"), here.tenant, here.stranger
    for headers in (
        {"x-ringfence-account": stranger.id},
        {"x-ringfence-account": "operator"},
        {"x-ringfence-service": "a"},
    ):
        for who in ("account", "probe"):
            assert here.ask(groups, tenant.tokens[who], headers).json()["code"] == "ram.forbidden"
    assert here.ask(groups, tenant.tokens["account"], {"x-ringfence-account": tenant.id}).status_code == 200
    assert here.ask(groups, here.operator.tokens["bare"], {"x-ringfence-account": tenant.id}).status_code == 403
    nobody = here.ask(groups, here.operator.tokens["account"], {"x-ringfence-account": "nobody"})
    assert nobody.json()["code"] == "auth.account"
    for account, signed, added, expected in (
        (here.operator, {}, {"x-ringfence-account": tenant.id}, "auth.missing"),
        (here.operator, {}, {"x-ringfence-service": "cdn"}, "auth.missing"),
        (here.operator, {"x-ringfence-account": tenant.id}, {}, None),
        (tenant, {"x-ringfence-account": stranger.id}, {}, "ram.forbidden"),
    ):
        response = signed_get(here, account, signed, added)
        assert response.json().get("code") == expected, (signed, added)
        if expected is None:
            assert {it["account"] for it in response.json()["items"]} == {tenant.id}


def signed_get(here: Town, account: Account, signed: dict[str, str], added: dict[str, str]) -> httpx2.Response:
    """Get the groups with some headers under the signature, and some that were added on the way."""
    host = {"host": here.served.url.removeprefix("http://"), **signed}
    proof = signed_headers(
        Request("GET", "/v1/groups", "", tuple(host.items()), b""), account.key.id, account.key.secret
    )
    return here.http.get("/v1/groups", headers={**host, **proof, **added})
