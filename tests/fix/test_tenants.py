"""Neighbours in a shared VPC: what is another account's decides, and no fix touches, names or tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from ringfence.control.caller import Caller
from ringfence.resources.kind import Kind
from tests.declare.desk import Desk
from tests.declare.web import refused, web

LINES = ["in deny tcp 81 from any to any", "in allow all from any to any", "out allow all from any to any"]
RULES = ("in allow tcp 80 from any", "out allow all to any")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def neighbours(desk: Desk) -> tuple[Caller, Caller]:
    """An owner of a VPC, and a guest in it; each has a machine, in a subnet with the owner's ACL or without one."""
    owner, guest = desk.tenant("owner"), desk.tenant("guest")
    vpc = desk.make(owner, Kind.VPC, name="shared", cidrs=["10.0.0.0/16"], shared_with=[guest.account]).id
    acl = desk.make(owner, Kind.ACL, name="secret-acl", rules=LINES).id
    for number, (caller, name) in enumerate(((guest, "web"), (owner, "secret-db"), (guest, "other")), 1):
        at = {"vpc": vpc, "cidr": f"10.0.{number}.0/24", "acl": acl if number == 1 else ""}
        subnet = desk.make(owner, Kind.SUBNET, name=f"net-{number}", **at)
        group = desk.make(caller, Kind.GROUP, name=f"{name}-group").id
        for rule in RULES:
            desk.make(caller, Kind.RULE, group=group, rule=rule)
        port = {"subnet": subnet.id, "addresses": [f"10.0.{number}.10"], "groups": [group]}
        desk.make(caller, Kind.INSTANCE, name=name, ports=[port], serve=["tcp/80"])
    return owner, guest


def told(desk: Desk, caller: Caller, query: str) -> tuple[dict[str, Any], str]:
    with desk.control.change(caller, "CreateKey") as draft:
        key = desk.identities.create_key(draft, "")[0].id
    with web(desk, timer=False) as there:
        client: httpx2.Client = there.client(desk.caller(caller.account, key_id=key))
        answer = client.get(f"/v1/fix?{query}")
        assert answer.status_code == 200, answer.text
        refused(client.get("/v1/fix?source=web&destination=nobody&service=tcp/80"), 422, "input.unknown_name")
    return answer.json(), json.dumps(answer.json())


NAMED = "add to group other-group the rule: in allow tcp 82 from"
FLOWS: tuple[tuple[str, list[str]], ...] = (
    # the sender is a neighbour: named by the address that was asked about, not by its group
    ("source=10.0.2.10&destination=other&service=tcp/82", [f"{NAMED} 10.0.2.10/32"]),
    # the owner's ACL denies: nothing to be done about it, and nothing told
    ("source=other&destination=web&service=tcp/81", []),
    # a neighbour's rule is missing
    ("source=web&destination=10.0.2.10&service=tcp/82", []),
    # both are one's own
    ("source=web&destination=other&service=tcp/82", [f"{NAMED} group web-group"]),
)


@pytest.mark.parametrize(("query", "edits"), FLOWS, ids=[query for query, _ in FLOWS])
def test_neighbours_are_not_told(desk: Desk, neighbours: tuple[Caller, Caller], query: str, edits: list[str]) -> None:
    found, text = told(desk, neighbours[1], query)
    assert found["verdict"] == "deny"
    best = found["fixes"][0]["edits"] if found["fixes"] else []
    assert [line.startswith(edit) for line, edit in zip(best, edits, strict=True)] == [True] * len(edits), best
    if not edits:
        assert found["obstacles"] == [
            {"what": "something of another account denies it", "instead": "ask whoever has it"}
        ]
    own = neighbours[0].account
    kinds = (Kind.GROUP, Kind.ACL, Kind.INSTANCE)
    secrets = [it.id for kind in kinds for it in desk.control.state.owned(own, kind)]
    assert secrets
    assert not [secret for secret in ("secret", *secrets) if secret in text], text
