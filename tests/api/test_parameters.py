"""What a request says beside its body is read, or refused: a misspelt ``dry_run`` must not become the change itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from ringfence.api.route import IDEMPOTENCY_KEY, IF_MATCH, Parameter, Route
from tests.api.asking import Town
from tests.api.test_matrix import ROUTES
from tests.api.things import Ask, asks


def unread(route: Route) -> Iterator[tuple[str, dict[str, list[str]], dict[str, str]]]:
    """What a route does not take: its name, and what stands in the query and in the headers."""
    yield "dryrun", {"dryrun": ["true"]}, {}
    for each in route.parameters:
        if each.where == "query" and not each.is_list:
            yield each.name, {each.name: ["1", "0"]}, {}
    for header in (IF_MATCH, IDEMPOTENCY_KEY):
        if route.method != "GET" and header not in route.parameters:
            yield header.name.lower(), {}, {header.name: '"0"'}


def test_what_no_route_reads_is_refused_and_changes_nothing(here: Town) -> None:
    for name, (ask, *_) in asks(here.tenant.ids).items():
        route, account = ROUTES[name], here.home(ask)
        head = here.served.control.state.revision
        for field, query, headers in unread(route):
            own = {key: value for key, value in ask.query.items() if key != field}
            response = wet(here, replace(ask, query=own), query, account.tokens["account"], headers)
            assert response.status_code == 422, (name, field, response.text)
            told = [(it["field"], it["code"]) for it in response.json()["errors"]]
            assert told == [(field, "request.parameter")], (name, told)
        assert here.served.control.state.revision == head, name


def wet(here: Town, ask: Ask, more: dict[str, list[str]], token: str, headers: dict[str, str]) -> httpx2.Response:
    """A request that would change something."""
    body = ask.body.encode() if isinstance(ask.body, str) else None
    acting = {"x-ringfence-account": here.tenant.id} if ask.acting else {}
    return here.http.request(
        ask.method,
        ask.path,
        params={**ask.query, **more},
        content=body,
        json=None if body else ask.body,
        headers={"authorization": f"Bearer {token}", **acting, **headers},
    )


def test_what_a_route_reads_it_takes(here: Town) -> None:
    """Every parameter of every route is known by its name, and a list may have several."""
    several = Parameter("tag", "", {"type": "array"})
    assert several.is_list
    token = here.tenant.tokens["account"]
    for query in ({"tag": ["env", "env=dev"], "limit": ["5"]}, {"name": ["sg-web"]}):
        found = here.http.get("/v1/groups", params=query, headers={"authorization": f"Bearer {token}"})
        assert found.status_code == 200, found.text


WHY = {"source": "web-1", "destination": "web-2", "service": "tcp/80"}
POLICY = '{"Version": "1", "Statement": [{"Effect": "Perhaps", "Action": "*", "Resource": "*"}]}'


@pytest.mark.parametrize(
    ("ask", "field", "value"),
    [
        *(
            (Ask("GET", path, query={**WHY, field: value}), field, value)
            for path in ("/v1/why", "/v1/fix", "/v1/reach")
            for field, value in (("source", "nobody"), ("destination", "224.0.0.1"), ("service", "tcp/0"))
        ),
        (Ask("GET", "/v1/why", query={**WHY, "over": "ipx"}), "over", "ipx"),
        (Ask("POST", "/v1/policies", {"name": "p", "document": POLICY}), "document.Statement[0].Effect", None),
        (Ask("POST", "/v1/policies", {"name": "p", "document": "null"}), "document", None),
        (Ask("POST", "/v1/groups/sg-db/rules/import", "no rules", {"format": "json"}), "body", None),
    ],
)
def test_a_refusal_says_where_and_what_was_said(here: Town, ask: Ask, field: str, value: str | None) -> None:
    response = here.ask(ask, here.tenant.tokens["account"])
    assert response.status_code == 422, response.text
    (told,) = response.json()["errors"]
    assert (told["field"], told["value"]) == (field, value)
    assert told["what"]
    assert told["right"]


def test_a_path_with_a_slash_behind_it_is_another_one(here: Town) -> None:
    """To be sent on would be an answer that the OpenAPI does not know, and the signature would not fit."""
    for token in ("", here.tenant.tokens["account"]):
        for method, body in (("GET", None), ("POST", {"name": "g", "vpc": here.tenant.ids["vpc"]})):
            response = here.ask(Ask(method, "/v1/groups/", body), token)
            assert (response.status_code, response.json()["code"]) == (404, "request.path")
