"""Texts that no database keeps: they are refused wherever they come in, before they reach the store."""

from __future__ import annotations

import json
from itertools import cycle, islice
from typing import Any

import httpx2
import pytest

from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from tests.api.asking import Town
from tests.api.things import Ask, asks

UNFIT = ["a\0b", "\0", "half \ud83d", "\udc00", "\ude00\ud83d"]
ODD = ["line\nline", "tab\tbed", "\x07", "\u2028", "\u202e", "\u0085"]
"""What a database keeps, and no name or description may hold."""


def put_in(said: Any, text: str) -> list[Any]:
    """What a request says with a text in place of each of its texts, and in place of the name of each member."""
    if isinstance(said, str):
        return [text]
    found: list[Any] = []
    if isinstance(said, dict):
        for name, value in said.items():
            found += [{**said, name: each} for each in put_in(value, text)]
            found.append({**said, text: value})
    if isinstance(said, list):
        for index, value in enumerate(said):
            found += [[*said[:index], each, *said[index + 1 :]] for each in put_in(value, text)]
    return found


def send(here: Town, ask: Ask, content: bytes) -> httpx2.Response:
    headers = {"authorization": f"Bearer {here.home(ask).tokens['account']}"}
    if ask.acting:
        headers["x-ringfence-account"] = here.tenant.id
    return here.http.request(ask.method, ask.path, params=ask.query, content=content, headers=headers)


def test_a_text_that_no_database_keeps_is_refused_anywhere_in_a_body(here: Town) -> None:
    head, texts = here.served.control.state.revision, cycle(UNFIT)
    for name, found in asks(here.tenant.ids).items():
        for ask in found[:1]:
            for body in put_in(ask.body, next(texts)) if isinstance(ask.body, dict) else ():
                for content in {
                    json.dumps(body).encode(),
                    json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"),
                }:
                    response = send(here, ask, content)
                    assert response.status_code == 422, (name, body, response.text)
                    assert response.json()["errors"][0]["field"] == "body"
    assert here.served.control.state.revision == head


def test_names_descriptions_and_tags_are_lines_that_print(here: Town) -> None:
    head, texts = here.served.control.state.revision, cycle([*ODD, *UNFIT])
    for kind, form in FORMS.items():
        (path,) = {ask.path for ask in asks(here.tenant.ids)[f"get_{kind}"]}
        operators = kind in (Kind.ACCOUNT, Kind.QUOTA, Kind.SETTINGS, Kind.PENALTY)
        ask = Ask("PATCH", path, operators=operators, acting=kind is Kind.PENALTY)
        for text in islice(texts, 3):
            for said in ({"name": text}, {"description": text}, {"tags": {text: "a"}}, {"tags": {"a": text}}):
                response = send(here, ask, json.dumps(said).encode())
                assert response.status_code == 422, (form.plural, said, response.text)
    assert here.served.control.state.revision == head


@pytest.mark.parametrize("text", UNFIT)
def test_files_bring_in_no_such_text(here: Town, text: str) -> None:
    head, i = here.served.control.state.revision, here.tenant.ids
    rule = {"Direction": "ingress", "IpProtocol": "TCP", "PortRange": "1/1", "Policy": "Accept", "Priority": "7"}
    rules = json.dumps([{**rule, "SourceCidrIp": "10.0.0.0/8", "Description": text}])
    world = f'address_groups:\n  a: ["10.0.0.0/8"]\ngroups:\n  g:\n    description: {json.dumps(text)}\n    rules: []\n'
    imports = f"/v1/groups/{i['idle_group']}/rules/import"
    for ask, content in (
        (Ask("POST", imports, query={"format": "json"}), rules.encode()),
        (Ask("POST", imports, query={"format": "csv"}), rules.encode("utf-8", "surrogatepass")),
        (Ask("POST", "/v1/plan"), world.encode()),
        (Ask("POST", "/v1/apply"), world.encode()),
    ):
        response = send(here, ask, content)
        assert response.status_code in (400, 422), (ask, response.text)
    assert here.served.control.state.revision == head


@pytest.mark.parametrize("query", ["name=%00", "name=%ED%A0%80", "tag=%00", "after=%00", "vpc=a%00b", "x=%FF"])
def test_queries_and_paths_hold_none_either(here: Town, query: str) -> None:
    token = {"authorization": f"Bearer {here.tenant.tokens['account']}"}
    for target in (f"/v1/groups?{query}", f"/v1/groups/{query.partition('=')[2]}", f"/v1/audit?{query}"):
        response = here.http.get(target, headers=token)
        assert (response.status_code in (400, 404)) or (response.status_code == 422), (target, response.text)
        assert response.headers["content-type"] == "application/problem+json"
