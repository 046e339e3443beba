"""The authorisation matrix: every route, by everybody who may ask, about what is theirs and what is not.

Nothing that is unnamed is allowed, and what belongs to others cannot be told from what is not there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from ringfence.api.app import all_routes, build
from ringfence.api.call import Answer, Service
from ringfence.api.metrics import Metrics
from ringfence.api.requests import Frame
from ringfence.api.route import Route
from ringfence.control.telling import Telling
from ringfence.ram.actions import ACTIONS, Action
from ringfence.security.secret import Secret
from ringfence.store.rows import AuditEntry, AuditFilter
from tests.api.asking import EVERYTHING, Account, Town, all_but, deny, only
from tests.api.things import Ask, asks
from tests.serving import serving

ROUTES = {route.name: route for route in all_routes()}
OWN = frozenset({"get_me", "create_token", "revoke_token"})
"""What everybody may do for themselves, unless a policy denies it."""
COMPOUND = frozenset({"export_world", "plan_changes", "apply_changes", "revert_revision"})
"""What reads or changes whatever is there: of the actions that it names, those are needed that it comes to."""


def each(here: Town, account: Account | None = None) -> Iterator[tuple[Route, Ask]]:
    for name, found in asks((account or here.tenant).ids).items():
        yield from ((ROUTES[name], ask) for ask in found)


def audited(here: Town, response: httpx2.Response) -> list[AuditEntry]:
    return here.served.store.find_audit(AuditFilter(request_id=response.headers["x-request-id"]))


def test_every_route_is_in_the_matrix() -> None:
    class Words(dict[str, str]):
        def __missing__(self, word: str) -> str:
            return word

    assert set(asks(Words())) == set(ROUTES)
    assert len(ROUTES) == len(all_routes())
    assert {name for name, route in ROUTES.items() if route.own} == OWN


def test_neutron_640ce648_a_route_that_names_no_action_cannot_be_made() -> None:
    def build(*actions: Action) -> Route:
        return Route("GET", "/v1/new", "new", "New.", actions, lambda _: Answer())

    unnamed = replace(ACTIONS["CreateVpc"], name="CreateNothing")
    for actions in ((), (unnamed,), (ACTIONS["CreateVpc"], unnamed)):
        with pytest.raises(ValueError, match="/v1/new names no action"):
            build(*actions)
    assert build(ACTIONS["CreateVpc"]).actions


@contextmanager
def collecting() -> Iterator[Callable[..., None]]:
    """Gives what makes a check; at the end, whatever failed is told together."""
    failures: list[str] = []

    def check(done: Callable[..., None], *given: Any) -> None:
        try:
            done(*given)
        except AssertionError as error:
            failures.append(str(error).partition("\n")[0])

    yield check
    assert not failures, "\n".join(failures)


def test_nobody_gets_anything_without_proof(here: Town) -> None:
    wrong = "RINGFENCE1-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=" + "0" * 64
    expired = here.token(here.tenant, "account")
    here.served.identities.log_out(Secret(expired))
    for name, (ask, *_) in asks(here.tenant.ids).items():
        route, account = ROUTES[name], here.home(ask)
        for token in (expired, "rft_" + "A" * 43, account.tokens["disabled"], account.tokens["revoked"]):
            assert_refused(here.ask(ask, token), 401, route)
        assert_refused(here.ask(ask), 401, route)
        assert_refused(here.ask(ask, headers={"authorization": wrong}), 401, route)


def assert_refused(response: httpx2.Response, status: int, route: Route) -> None:
    assert response.status_code == status, (route.name, response.text)
    assert response.json()["code"].startswith("auth." if status == 401 else "ram."), (route.name, response.text)


def assert_done(response: httpx2.Response, route: Route, ask: Ask) -> None:
    good = {ask.status} if ask.status else {200, 201}
    assert response.status_code in good, (route.name, ask, getattr(response, "_content", b"a stream"))


def asked(here: Town, route: Route, ask: Ask, account: Account, who: str) -> httpx2.Response:
    token = here.token(account, who) if route.name == "revoke_token" else account.tokens[who]
    return here.ask(ask, token)


def test_the_account_itself_may_do_everything(here: Town) -> None:
    with collecting() as check:
        for route, ask in each(here):
            check(assert_free, here, route, ask)


def assert_free(here: Town, route: Route, ask: Ask) -> None:
    response = asked(here, route, ask, here.home(ask), "account")
    assert_done(response, route, ask)
    judged = {entry.action for entry in audited(here, response)} - {""}
    assert judged <= {action.name for action in route.actions}, (route.name, judged)
    if route.method != "GET" and not ask.status:
        assert judged or route.name == "plan_changes" or not ask.dry, (route.name, ask)


def test_neutron_640ce648_nothing_is_allowed_that_no_policy_names(here: Town) -> None:
    """A user without a policy, and one whom a policy denies what the route names and allows all else."""
    for account in (here.tenant, here.operator):
        here.allow(account, EVERYTHING)
    for route, ask in each(here):
        account = here.home(ask)
        if route.name not in OWN:
            assert_refused_and_audited(here, route, ask, account, "bare")
        here.allow(account, EVERYTHING, deny(route.actions))
        assert_refused_and_audited(here, route, ask, account, "probe")


def assert_refused_and_audited(here: Town, route: Route, ask: Ask, account: Account, who: str) -> None:
    response = asked(here, route, ask, account, who)
    assert_refused(response, 403, route)
    entries = audited(here, response)
    told = [(it.account, it.user, it.allowed, it.code) for it in entries if not it.allowed]
    about = here.tenant if ask.acting else account
    assert told == [(about.id, account.users[who], False, "ram.forbidden")], route.name
    assert {it.action for it in entries} <= {action.name for action in route.actions}


def test_neutron_2026_06_30_a_denial_is_logged_against_who_was_denied(here: Town) -> None:
    """Who asks for another account's things, or as another account, is in their own audit and not in the other's."""
    before = [it.seq for it in here.served.store.find_audit(AuditFilter(account=here.stranger.id), limit=10_000)]
    ids = here.stranger.ids
    for ask, headers in (
        (Ask("DELETE", f"/v1/groups/{ids['group']}"), {}),
        (Ask("POST", f"/v1/groups/{ids['group']}/rules", {"rules": ["in allow tcp 1 from any"]}), {}),
        (Ask("GET", "/v1/groups"), {"x-ringfence-account": here.stranger.id}),
        (Ask("GET", "/v1/groups"), {"x-ringfence-service": "cdn"}),
    ):
        response = here.ask(ask, here.tenant.tokens["account"], headers)
        assert response.status_code in (403, 404)
        (entry,) = audited(here, response)
        assert (entry.account, entry.allowed, entry.key_id) == (here.tenant.id, False, here.tenant.key.id)
        assert entry.code == response.json()["code"]
    after = [it.seq for it in here.served.store.find_audit(AuditFilter(account=here.stranger.id), limit=10_000)]
    assert after == before


def test_the_actions_that_a_route_names_are_what_it_takes(here: Town) -> None:
    """Each is necessary for some request of the route, and those that a request needs are enough for it."""
    with collecting() as check:
        for name, found in asks(here.tenant.ids).items():
            if name not in OWN:
                check(assert_needed, here, ROUTES[name], found)


def assert_needed(here: Town, route: Route, found: list[Ask]) -> None:
    necessary = set[Action]()
    for ask in found:
        needed = {action for action in route.actions if not passes(here, route, ask, all_but(action))}
        assert needed, f"{route.name} judges nothing for {ask}"
        sufficient = passes(here, route, ask, only(sorted(needed, key=str), resources(here, route, ask)))
        assert sufficient, f"{route.name} wants more than {sorted(map(str, needed))} for {ask}"
        necessary |= needed
    if route.name not in COMPOUND:
        assert necessary == set(route.actions), f"{route.name}: {set(route.actions) - necessary} are never asked for"


def passes(here: Town, route: Route, ask: Ask, *statements: Any) -> bool:
    account = here.home(ask)
    here.allow(account, *statements)
    response = asked(here, route, ask, account, "probe")
    if response.status_code == 403:
        assert response.json()["code"] == "ram.forbidden"
        return False
    assert_done(response, route, ask)
    return True


def resources(here: Town, route: Route, ask: Ask) -> list[str]:
    """ARNs of what a request is about, as the audit has them; what is only read is not in it."""
    account = here.home(ask)
    everything = [f"acs:*:*:{account.id}:*"]
    if route.method == "GET" and route.path.endswith("/{id}") and route.name != "get_revision":
        judged = {"get_rule": "group", "get_access_key": "user"}.get(route.name)
        return [f"acs:*:*:{account.id}:*/{here.tenant.ids[judged] if judged else ask.path.rpartition('/')[2]}"]
    if route.method == "GET" or route.name in COMPOUND:
        return everything
    response = here.ask(ask, account.tokens["account"])
    arns = {entry.resource for entry in audited(here, response) if entry.allowed and entry.resource}
    known = {*here.tenant.ids.values(), *here.operator.ids.values(), "*"}
    named = {arn if arn.rpartition("/")[2] in known else arn.rpartition("/")[0] + "/*" for arn in arns}
    return sorted(named) or everything


def test_neutron_ba1425c0_what_is_anothers_is_as_if_it_was_not_there(here: Town) -> None:
    """Every id in a path, in a body and in a filter, one at a time: another account's, and one that nobody has."""
    here.allow(here.tenant, EVERYTHING)
    own, foreign = here.tenant.ids, here.stranger.ids
    with collecting() as check:
        for word in own.keys() - {"net", "world", "account", "quota", "settings", "idle_account"}:
            missing = "999999" if word == "revision" else f"x{secrets.token_hex(11)}"
            one, two, three = (asks({**own, word: id_}) for id_ in (own[word], foreign[word], missing))
            for name, found in one.items():
                for ask, theirs, nobodys in zip(found, two[name], three[name], strict=True):
                    if theirs != ask and not ask.operators:
                        check(assert_alike, here, ROUTES[name], theirs, foreign[word], nobodys, missing)


def assert_alike(here: Town, route: Route, theirs: Ask, foreign: str, nobodys: Ask, missing: str) -> None:
    for who in ("account", "probe"):
        one, two = (asked(here, route, ask, here.tenant, who) for ask in (theirs, nobodys))
        pair = [(one.status_code, told(one, foreign)), (two.status_code, told(two, missing))]
        assert pair[0] == pair[1], (route.name, theirs, who, pair)
        hidden = [
            id_ for word, id_ in here.stranger.ids.items() if id_ != foreign and len(id_) > 12 and word != "world"
        ]
        assert not [id_ for id_ in [*hidden, here.stranger.id] if id_ in one.text], (route.name, one.text)


def told(response: httpx2.Response, id_: str) -> Any:
    """What an answer says, without the id that was asked for, hints at one's own things, and what differs each time."""
    said = response.json()
    if response.status_code >= 400:
        errors = [(it["field"], it["value"], it["what"], it["code"]) for it in said["errors"]]
        return said["code"], re.sub(re.escape(id_), "ID", repr(errors))
    return said.get("items", "done")


def test_only_operators_change_accounts_quotas_settings_and_penalties(here: Town) -> None:
    here.allow(here.tenant, EVERYTHING)
    with collecting() as check:
        for route, ask in each(here):
            if ask.operators and ask.method != "GET":
                for who in ("account", "probe"):
                    check(assert_not_for_tenants, here, route, ask, who)


def assert_not_for_tenants(here: Town, route: Route, ask: Ask, who: str) -> None:
    response = asked(here, route, ask, here.tenant, who)
    assert response.status_code in (403, 404), (route.name, ask, response.text)


def test_what_is_managed_by_a_service_elsewhere_is_not_told_either(here: Town) -> None:
    headers = {"x-ringfence-account": here.stranger.id, "x-ringfence-service": "cdn"}
    said = Ask("POST", "/v1/groups", {"name": "managed", "vpc": here.stranger.ids["vpc"], "managed": "cdn"}, dry=False)
    managed = here.ask(said, here.operator.tokens["account"], headers).json()["item"]["id"]
    for body in ({"direction": "ingress"}, {"rule": "out deny all to any"}):
        theirs, nobodys = (Ask("POST", "/v1/rules", {"group": group, **body}) for group in (managed, "missing"))
        assert_alike(here, ROUTES["create_rule"], theirs, managed, nobodys, "missing")


def test_what_one_tenant_has_is_no_obstacle_to_another_and_no_word_in_what_is_told(here: Town) -> None:
    stranger, token = here.stranger.ids, here.tenant.tokens["account"]
    cidrs = here.served.control.state.world.vpcs[stranger["vpc"]].cidrs
    address = here.served.control.state.world.outside[stranger["outside_host"]].addresses[0]
    for path, said in (("vpcs", {"cidrs": list(map(str, cidrs))}), ("outside-hosts", {"addresses": [str(address)]})):
        assert here.ask(Ask("POST", f"/v1/{path}", {"name": "v", **said}), token).status_code == 200
    telling = Telling(here.served.control.state, set(), {}, here.tenant.id)
    own = f"port {here.tenant.ids['instance']}.eth0 of VPC {here.tenant.ids['vpc']}"
    assert telling.words(own) == own
    theirs = f"port {stranger['instance']}.eth0; known: {stranger['vpc']}, and VPC {stranger['idle_vpc']}."
    assert telling.words(theirs) == "port another account's; known: another account's, and VPC another account's"


def test_a_user_is_told_nothing_of_what_the_user_may_not_see(here: Town) -> None:
    ids, changing = (
        here.tenant.ids,
        [ACTIONS[name] for name in ("ModifySecurityGroupAttribute", "AuthorizeSecurityGroup")],
    )
    port = ACTIONS["ModifyNetworkInterfaceAttribute"]
    here.allow(here.tenant, only(changing), only([port], f"acs:*:*:*:eni/{ids['idle_port']}"))
    token = here.tenant.tokens["probe"]
    nearly = ids["group"][:-1] + ("y" if ids["group"].endswith("x") else "x")
    for ask, status in (
        (Ask("PATCH", f"/v1/groups/{nearly}", {"description": "d"}), 404),
        (Ask("POST", "/v1/rules", {"group": ids["group"], "rule": f"in allow tcp 1 from group {nearly}"}), 422),
        (Ask("PATCH", f"/v1/ports/{ids['port']}", {"subnet": "another"}), 403),
        (Ask("PATCH", f"/v1/ports/{ids['idle_port']}", {"subnet": "another"}), 422),
    ):
        response = here.ask(ask, token)
        assert response.status_code == status, response.text
        assert ids["group"] not in response.text.replace(str(ask.body and ask.body.get("group")), "")
        assert (ids["subnet"] in response.text) is (ids["idle_port"] in ask.path)


def test_neutron_640ce648_a_route_that_forgets_to_judge_is_closed_to_users_all_the_same(here: Town) -> None:
    forgetful = Route("GET", "/v1/new", "new", "New.", (ACTIONS["CreateVpc"],), lambda _: Answer({}))
    served = here.served
    with serving(Frame(build(Service(served.control, served.identities), [forgetful]), Metrics())) as running:
        for statements, status in (
            ([EVERYTHING], 200),
            ([only([ACTIONS["CreateVpc"]])], 200),
            ([all_but(ACTIONS["CreateVpc"])], 403),
            ([EVERYTHING, deny([ACTIONS["CreateVpc"]])], 403),
            ([only([ACTIONS["DeleteVpc"]])], 403),
        ):
            here.allow(here.tenant, *statements)
            headers = {"authorization": f"Bearer {here.tenant.tokens['probe']}"}
            assert httpx2.get(f"{running.url}/v1/new", headers=headers, trust_env=False).status_code == status, (
                statements
            )
        bare = {"authorization": f"Bearer {here.tenant.tokens['bare']}"}
        assert httpx2.get(f"{running.url}/v1/new", headers=bare, trust_env=False).status_code == 403
