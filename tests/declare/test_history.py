"""What happened, and why a flow passes: revisions, taking one back, the audit, and `why`, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from ringfence import worldfile
from ringfence.analysis.difference.difference import difference
from ringfence.control.caller import Caller
from ringfence.policy.evaluate import evaluate
from ringfence.resources.kind import Kind
from tests.declare.desk import Desk
from tests.declare.web import Web, refused, web

THREE_TIER = (Path(__file__).parents[2] / "examples" / "three-tier.yaml").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    with web(desk, timer=False) as made:
        yield made
    desk.store.close()


@pytest.fixture(scope="module")
def tenant(served: Web) -> Caller:
    """An account with a world of its own, and with a key to log in by."""
    made = served.desk.tenant("tenant")
    with served.desk.control.change(made, "CreateKey") as draft:
        key, _ = served.desk.identities.create_key(draft, "")
    served.desk.apply(made, THREE_TIER, override="")
    return served.desk.caller(made.account, key_id=key.id)


@pytest.fixture(scope="module")
def client(served: Web, tenant: Caller) -> httpx2.Client:
    return served.client(tenant)


def _get(client: httpx2.Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_world_comes_back_as_yaml_and_json(client: httpx2.Client) -> None:
    answer = client.get("/v1/world")
    assert answer.headers["content-type"] == "text/yaml; charset=utf-8"
    assert yaml.safe_load(answer.text) == _get(client, "/v1/world?format=json")
    assert client.post("/v1/apply", content=answer.text).json()["changes"] == []
    refused(client.get("/v1/world?format=xml"), 422, "input.fields")


def test_plan_tells_who_reaches_whom(client: httpx2.Client) -> None:
    edited = THREE_TIER.replace("tcp 3306 from group sg-app", "tcp 3307 from group sg-app")
    told = client.post("/v1/plan", content=edited).json()
    assert [(it["do"], it["kind"]) for it in told["changes"]] == [("create", "rule"), ("delete", "rule")]
    expected = difference(worldfile.parse(THREE_TIER, "before"), worldfile.parse(edited, "after"))
    assert {it["example"] for it in told["reachability"]["denied"]} == {str(it.example) for it in expected.denied}
    assert told["reachability"]["denied"]
    assert {it["expect"] for it in told["expectations"]} == {
        "app-1 -> db-1 tcp/3306 allow",
        "app-1 -> db-1 tcp/3306 over ipv6 allow",
    }
    refused(client.post("/v1/apply", content=edited), 409, "expect.failed")


def test_mistakes_of_a_file_are_told_with_their_lines(client: httpx2.Client) -> None:
    told = refused(client.post("/v1/plan", content="vpcs: {a: {cidrs: [10/8]}}\nfoo: 1\n"), 422, "world.invalid")
    assert [it["field"] for it in told["errors"]] == ["line 1", "line 2"]
    refused(client.post("/v1/apply", content=b"\xff"), 422, "input.fields")


@pytest.mark.parametrize("line", [str(it) for it in worldfile.parse(THREE_TIER, "test").expects])
def test_why_says_what_the_model_says(client: httpx2.Client, tenant: Caller, served: Web, line: str) -> None:
    world = worldfile.parse(THREE_TIER, "test")
    query = next(it.query for it in world.expects if str(it) == line)
    expected = evaluate(world, world.flow(query)).as_json()
    told = _get(
        client,
        f"/v1/why?source={query.source}&destination={query.destination}&service={query.service}"
        f"&over=ipv{query.family.value}",
    )
    for key in ("flow", "verdict", "arrives"):
        assert told[key] == expected[key]
    stages: Any = expected["stages"]
    parts = ("stage", "verdict", "port", "place", "group", "text")
    assert [[it[part] for part in parts] for it in told["stages"]] == [[it[part] for part in parts] for it in stages]
    rules = {it.id for it in served.desk.control.state.owned(tenant.account, Kind.RULE)}
    named = {it["rule_id"] for it in told["stages"] if it["group"]}
    assert named <= rules, "a rule is known by the id that counters and logs have"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("source=web-1&destination=db-1", "input.fields"),
        ("source=web-1&destination=nobody&service=tcp/80", "input.unknown_name"),
        ("source=web-1&destination=db-1&service=foo", "input.notation"),
        ("source=web-1&destination=db-1&service=tcp/80&over=ipx", "input.fields"),
        ("source=web-1&destination=db-1&service=icmp&from_port=3", "input.notation"),
    ],
)
def test_why_refuses(client: httpx2.Client, query: str, code: str) -> None:
    refused(client.get(f"/v1/why?{query}"), 422, code)


def test_neighbours_are_not_told(tmp_path: Path) -> None:
    """In a shared VPC the owner's ACL decides, and says no more than that."""
    desk = Desk(tmp_path)
    owner, guest = desk.tenant("owner"), desk.tenant("guest")
    vpc = desk.make(owner, Kind.VPC, name="shared", cidrs=["10.0.0.0/16"], shared_with=[guest.account]).id
    acl = desk.make(owner, Kind.ACL, name="secret-acl", rules=["in deny tcp 80 from any to any"]).id
    subnets = [desk.make(owner, Kind.SUBNET, name=name, vpc=vpc, cidr=cidr, acl=acl).id
               for name, cidr in (("one", "10.0.1.0/24"), ("two", "10.0.2.0/24"))]  # fmt: skip
    for caller, subnet, address in ((guest, subnets[0], "10.0.1.10"), (owner, subnets[1], "10.0.2.10")):
        group = desk.make(caller, Kind.GROUP, name="sg").id
        for rule in ("in allow tcp 80 from any", "out allow all to any"):
            desk.make(caller, Kind.RULE, group=group, rule=rule)
        desk.make(caller, Kind.INSTANCE, name="web", ports=[{"subnet": subnet, "addresses": [address],
                                                            "groups": [group]}])  # fmt: skip
    with web(desk, timer=False) as there:
        client = there.client(desk.caller(guest.account, key_id=_key(desk, guest)))
        answer = client.get("/v1/why?source=web&destination=10.0.2.10&service=tcp/80")
        told = answer.json()
        assert (told["verdict"], told["decided_by"]["stage"]) == ("deny", "acl-egress"), told
        text = json.dumps(told)
        assert acl not in text
        assert "secret" not in text
        assert told["cause"] == "another-account"
        assert {(it["cause"], len(it["near_misses"]), len(it["groups"])) for it in told["blockers"]} == {
            ("another-account", 0, 0)
        }
        assert "something of another account" in text
        refused(client.get("/v1/why?source=web&destination=10.0.2.10.1&service=tcp/80"), 422, "input.unknown_name")
    desk.store.close()


def _key(desk: Desk, caller: Caller) -> str:
    with desk.control.change(caller, "CreateKey") as draft:
        return desk.identities.create_key(draft, "")[0].id


def test_revisions_are_ones_own(served: Web, tenant: Caller, client: httpx2.Client) -> None:
    operator = served.client()
    served.desk.make(served.desk.caller(), Kind.GROUP, name="operators-own")
    own = served.desk.control.state.revision
    refused(client.get(f"/v1/revisions/{own}"), 404, "resource.not_found")
    refused(client.get("/v1/revisions/nine"), 404, "resource.not_found")
    refused(client.get("/v1/revisions/99999"), 404, "resource.not_found")
    whole = _get(operator, f"/v1/revisions/{own}")
    assert (whole["count"], whole["changes"][0]["after"]["name"]) == (1, "operators-own")
    mine, every = (
        [it["number"] for it in _pages(each, "/v1/revisions?limit=2", "&after=0")] for each in (client, operator)
    )
    assert every == list(range(1, served.desk.store.head() + 1))
    assert set(mine) < set(every)
    assert own not in mine
    for limit in (1, 2, 1000):  # the newest of one's own, however many others have made since
        assert [it["number"] for it in _get(client, f"/v1/revisions?limit={limit}")["items"]] == mine[-limit:]
        newest = _get(operator, f"/v1/revisions?limit={limit}")
        assert ([it["number"] for it in newest["items"]], newest["next"]) == (every[-limit:], None)
    assert "sealed" not in json.dumps([_get(operator, f"/v1/revisions/{number}") for number in every])


def _pages(client: httpx2.Client, path: str, after: str = "") -> list[dict[str, Any]]:
    found = []
    while True:
        page = _get(client, path + after)
        found += page["items"]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


def test_taking_a_revision_back(served: Web, tenant: Caller, client: httpx2.Client) -> None:
    before = dict(served.desk.control.state.resources)
    one = client.post("/v1/groups", json={"name": "one"}).json()
    two = client.post("/v1/rules", json={"group": "one", "rule": "in allow tcp 80 from any"}).json()
    told = refused(client.post(f"/v1/revisions/{one['revision']}/revert"), 409, "DependencyViolation")
    assert "rule" in told["detail"]
    preview = client.post(f"/v1/revisions/{two['revision']}/revert?dry_run=true").json()
    nothing: dict[str, object] = {"allowed": [], "denied": [], "connections": [], "left_out": 0}
    foreseen = {"reachability": nothing, "expectations": []}
    assert preview == {"reverted": two["revision"], "revision": two["revision"] + 1, "dry_run": True, **foreseen}
    assert client.post(f"/v1/revisions/{two['revision']}/revert").status_code == 200
    assert client.post(f"/v1/revisions/{one['revision']}/revert").status_code == 200
    assert dict(served.desk.control.state.resources) == before
    told = refused(client.post(f"/v1/revisions/{one['revision']}/revert"), 409, "revert.conflict")
    assert one["item"]["id"] in told["detail"]
    refused(client.post("/v1/revisions/1/revert"), 404, "resource.not_found")
    refused(served.client().post("/v1/revisions/1/revert"), 422, "input.fields")


def test_audit_is_ones_own_and_append_only_in_order(served: Web, tenant: Caller, client: httpx2.Client) -> None:
    refused(client.post("/v1/apply", content="groups: ["), 422, "world.invalid")
    refused(client.post("/v1/rules", json={"group": "no", "rule": "in allow tcp 80 from any"}), 422, "input.fields")
    entries = _pages(client, "/v1/audit?limit=7")
    numbers = [it["seq"] for it in entries]
    assert numbers == sorted(set(numbers))
    assert {it["account"] for it in entries} == {tenant.account}
    backwards = _pages(client, "/v1/audit?limit=1000&newest_first=true")
    assert [it["seq"] for it in backwards][-len(numbers):] == numbers[::-1]  # fmt: skip
    refusals = _pages(client, "/v1/audit?allowed=false&operation=AuthorizeSecurityGroup")
    assert refusals
    assert not any(it["allowed"] for it in refusals)
    [applied] = [it for it in entries if it["action"] == "ApplyChanges" and it["after"]]
    assert len(applied["after"]) > 20
    assert _get(client, f"/v1/audit?until={entries[0]['at']}")["items"] == []
    refused(client.get("/v1/audit?account=operator"), 422, "input.fields")
    assert {it["account"] for it in _get(served.client(), "/v1/audit?limit=1000")["items"]} >= {
        "operator",
        tenant.account,
    }
