"""The operations through HTTP: a real server on loopback, tokens and keys, each route of operations once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from ringfence.api import call
from ringfence.api.app import all_routes, build
from ringfence.api.metrics import Metrics
from ringfence.api.requests import Frame
from ringfence.model.group import DEFAULT_GROUP
from ringfence.resources.kind import Kind
from tests.control.service import Service
from tests.serving import serving


@dataclass(frozen=True)
class Client:
    """A client that has a token."""

    http: httpx2.Client
    service: Service

    def ask(self, method: str, path: str, json: Any = None, **more: Any) -> tuple[int, Any]:
        """Status and body of an answer."""
        answer = self.http.request(method, path, json=json, **more)
        return answer.status_code, answer.json()

    def ok(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        """The body of an answer that is good."""
        status, body = self.ask(method, path, json, **more)
        assert status < 300, body
        return body

    def code(self, method: str, path: str, json: Any = None, **more: Any) -> tuple[int, str]:
        """Status and code of a refusal."""
        status, body = self.ask(method, path, json, **more)
        return status, body["code"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Service.fresh(tmp_path_factory.mktemp("routes")) as made:
        key, _ = made.do(lambda draft: made.identities.create_key(draft, ""))
        token, _ = made.identities.log_in(made.acting(key_id=key.id).caller)
        app = Frame(build(call.Service(made.control, made.identities)), Metrics())
        headers = {"authorization": f"Bearer {token.reveal()}"}
        with serving(app) as server, httpx2.Client(base_url=server.url, headers=headers) as http:
            found = Client(http, made)
            found.ok("POST", "/v1/vpcs", {"name": "shop", "cidrs": ["10.0.0.0/16"], "profile": "alibaba"})
            found.ok("POST", "/v1/subnets", {"name": "web", "vpc": "shop", "cidr": "10.0.1.0/24"})
            for name in ("sg", "more"):
                found.ok("POST", "/v1/groups", {"name": name, "vpc": "shop"})
            port = {"subnet": "web", "groups": ["sg"]}
            for name in ("one", "two"):
                found.ok("POST", "/v1/instances", {"name": name, "ports": [port]})
            yield found


def test_rules_members_and_clones(client: Client) -> None:
    lines = {"rules": ["in allow tcp 80 from any", {"rule": "in allow tcp 22 from 10.0.0.0/8"}]}
    added = client.ok("POST", "/v1/groups/sg/rules", lines)["added"]
    assert [it["rule"] for it in added] == [
        "in allow tcp 80 from any priority 1",
        "in allow tcp 22 from 10.0.0.0/8 priority 1",
    ]
    again = client.ok("POST", "/v1/groups/sg/rules", lines)
    assert ([it["id"] for it in again["already"]], again["added"]) == ([it["id"] for it in added], [])
    assert client.code("POST", "/v1/groups/sg/rules", {"rules": "x"}) == (422, "input.fields")
    clone = client.ok("POST", "/v1/groups/sg/clone", {"name": "twin", "type": "advanced"})
    assert (clone["item"]["type"], len(clone["rules"]), clone["skipped"]) == ("advanced", 2, [])
    gone = client.ok("POST", "/v1/groups/sg/rules/revoke", {"ids": [added[0]["id"]], "rules": ["in deny all from any"]})
    assert [it["id"] for it in gone["removed"]] == [added[0]["id"]]
    assert client.code("POST", "/v1/groups/sg/rules/revoke", {"ids": ["sgr-x"]}) == (422, "input.fields")
    assert len(client.ok("POST", "/v1/groups/more/members", {"members": ["one", "two.eth0"]})["added"]) == 2
    assert [it["id"] for it in client.ok("GET", "/v1/groups/more/members")["items"]] == ["one.eth0", "two.eth0"]
    assert client.ok("POST", "/v1/groups/more/members/leave", {"members": ["one"]})["removed"][0]["groups"] == ["sg"]
    again = client.code("POST", "/v1/groups/more/members/leave", {"members": ["one"]})
    assert again == (409, "InvalidSecurityGroupAssociation.NotFound")
    assert client.ok("PUT", "/v1/ports/one.eth0/groups", {"groups": ["more"]})["item"]["groups"] == ["more"]
    both = client.ok("PUT", "/v1/memberships", {"members": ["one", "two"], "groups": ["sg", "more"]})["items"]
    assert [it["groups"] for it in both] == [["sg", "more"]] * 2


def test_a_key_for_one_operation_is_not_the_answer_of_another(client: Client) -> None:
    """The same key, path and body, and another operation."""
    headers, body = {"idempotency-key": "k1"}, {"tags": {"a": "b"}}
    first = client.ok("PUT", "/v1/groups/more/tags", body, headers=headers)
    assert client.ok("PUT", "/v1/groups/more/tags", body, headers=headers) == first
    assert client.code("PATCH", "/v1/groups/more", body, headers=headers) == (409, "idempotency.mismatch")


def test_tags_and_lists_by_them(client: Client) -> None:
    client.ok("PUT", "/v1/groups/sg/tags", {"tags": {"env": "prod", "team": "web"}})
    client.ok("PUT", "/v1/vpcs/shop/tags", {"tags": {"env": "prod"}})
    tags = {it["tag"]: it["resources"] for it in client.ok("GET", "/v1/tags")["items"]}
    assert tags["env=prod"] == {"group": 1, "vpc": 1}
    for query, names in (
        ("tag=env=prod&tag=team", ["sg"]),
        ("tag=env=prod&tag=team=db", []),
        ("tag=team=web", ["sg"]),
    ):
        assert [it["name"] for it in client.ok("GET", f"/v1/groups?{query}")["items"]] == names
    assert client.ok("DELETE", "/v1/groups/sg/tags?key=team&key=x")["item"]["tags"] == {"env": "prod"}
    assert client.ok("DELETE", "/v1/groups/sg/tags")["item"]["tags"] == {}


def test_lines_and_entries(client: Client) -> None:
    client.ok("POST", "/v1/acls", {"name": "acl", "vpc": "shop"})
    insert = {"rule": "in deny tcp 22 from any to any", "before": 1}
    lines = client.ok("POST", "/v1/acls/acl/rules", insert)["lines"]
    assert [it["position"] for it in lines] == [1, 2, 3]
    moved = client.ok("POST", f"/v1/acls/acl/rules/{lines[0]['id']}/move", {})["lines"]
    assert [it["id"] for it in moved] == [lines[1]["id"], lines[2]["id"], lines[0]["id"]]
    assert len(client.ok("DELETE", "/v1/acls/acl/rules/3")["lines"]) == 2
    assert client.ok("GET", "/v1/acls/acl/rules")["items"] == moved[:2]
    assert client.code("DELETE", "/v1/acls/acl/rules/1", headers={"if-match": '"x"'}) == (412, "revision.mismatch")
    client.ok("POST", "/v1/address-groups", {"name": "office", "entries": ["10.0.0.1"]})
    edited = client.ok("POST", "/v1/address-groups/office/entries", {"add": ["10.0.0.2"], "remove": ["10.0.0.1"]})
    assert (edited["item"]["entries"], edited["added"], edited["removed"]) == (["10.0.0.2"], ["10.0.0.2"], ["10.0.0.1"])


def test_quotas(client: Client) -> None:
    client.ok("PUT", "/v1/quotas", {"target": "operator", "limits": {"vpcs_per_account": 1}})
    assert client.code("POST", "/v1/vpcs", {"name": "b", "cidrs": ["10.1.0.0/16"]}) == (403, "QuotaExceed.Vpc")
    items = client.ok("GET", "/v1/quotas/usage")["items"]
    assert {"limit": "vpcs_per_account", "of": None, "used": 1, "allowed": 1, "source": "operator"} in items
    client.ok("PUT", "/v1/quotas", {"target": "operator", "limits": {"vpcs_per_account": None}})
    assert client.ok("GET", "/v1/quotas")["items"] == []


def test_files_of_rules(client: Client) -> None:
    """A preview names the rows that fail and changes nothing; an import with such a row brings nothing in."""
    client.ok("POST", "/v1/groups", {"name": "from", "vpc": "shop"})
    client.ok("POST", "/v1/groups", {"name": "to", "vpc": "shop"})
    client.ok("POST", "/v1/groups/from/rules", {"rules": ["in allow tcp 1 from 10.0.0.0/8", "out deny udp 2 to ::/0"]})
    for form in ("json", "csv", "xlsx"):
        file = client.http.get(f"/v1/groups/from/rules/export?format={form}")
        assert file.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        path = f"/v1/groups/to/rules/import?format={form}"
        look = client.ok("POST", f"{path}&preview=true", content=file.content)
        assert (look["dry_run"], [row["problems"] for row in look["rows"]]) == (True, [[], []])
        assert client.ok("GET", "/v1/rules?group=to")["items"] == []
        assert len(client.ok("POST", path, content=file.content)["added"]) == 2
        look = client.ok("POST", f"{path}&preview=true", content=file.content)
        assert [row["problems"][0]["code"] for row in look["rows"]] == ["exchange.duplicate"] * 2
        assert client.code("POST", path, content=file.content) == (422, "input.fields")
        client.ok(
            "POST",
            "/v1/groups/to/rules/revoke",
            {"rules": ["in allow tcp 1 from 10.0.0.0/8", "out deny udp 2 to ::/0"]},
        )
    assert client.code("POST", "/v1/groups/to/rules/import?format=xlsx", content=b"no") == (422, "exchange.file")
    assert client.code("GET", "/v1/groups/to/rules/export?format=pdf") == (422, "input.fields")


def test_keys_and_tokens(client: Client) -> None:
    """A secret is told once, also where the answer is repeated; a user without a policy still is somebody."""
    client.ok("POST", "/v1/users", {"name": "bob"})
    headers, body = {"idempotency-key": "key"}, {"user": "bob"}
    dry = client.ok("POST", "/v1/access-keys?dry_run=true", body)
    first, again = (client.ok("POST", "/v1/access-keys", body, headers=headers) for _ in range(2))
    assert (dry["secret"], len(first["secret"]), again["secret"]) == (None, 30, None)
    assert first["item"] == again["item"] == client.ok("GET", f"/v1/access-keys/{first['item']['id']}")
    assert "sealed" not in str(first)
    assert client.ok("GET", "/v1/me")["operator"] is True
    bob = client.service.acting(user=first["item"]["user"], key_id=first["item"]["id"])
    token, _ = client.service.identities.log_in(bob.caller)
    as_bob = {"headers": {"authorization": f"Bearer {token.reveal()}"}}
    assert client.ok("GET", "/v1/me", **as_bob)["user_name"] == "bob"
    assert client.code("GET", "/v1/groups", **as_bob) == (403, "ram.forbidden")
    short = client.ok("POST", "/v1/tokens", {"hours": 1}, **as_bob)["token"]
    as_short = {"headers": {"authorization": f"Bearer {short}"}}
    assert client.ok("DELETE", "/v1/tokens/current", **as_short) == {"revoked": True}
    assert client.code("GET", "/v1/me", **as_short) == (401, "auth.token")
    assert client.code("POST", "/v1/tokens", {"hours": 1000}) == (422, "input.fields")
    policy = '{"Version":"1","Statement":[{"Effect":"Deny","Action":"ringfence:CreateToken","Resource":"*"}]}'
    client.ok("POST", "/v1/policies", {"name": "no-tokens", "document": policy})
    client.ok("PATCH", "/v1/users/bob", {"policies": ["no-tokens"]})
    assert client.code("POST", "/v1/tokens", {}, **as_bob) == (403, "ram.forbidden")


def test_every_route_names_its_actions() -> None:
    """Nothing is served that no policy can speak of; and no path hides another."""
    routes = all_routes()
    assert all(route.actions for route in routes)
    assert len({(route.method, route.path) for route in routes}) == len({route.name for route in routes}) == len(routes)


def test_a_managed_group_is_the_services_alone(client: Client) -> None:
    as_service = {"headers": {"x-ringfence-service": "nat"}}
    client.ok("POST", "/v1/groups", {"name": "sg-nat", "vpc": "shop", "managed": "nat"}, **as_service)
    managed = "InvalidOperation.ResourceManagedByCloudProduct"
    for method, path, body in (
        ("POST", "/v1/groups/sg-nat/rules", {"rules": ["in allow tcp 1 from any"]}),
        ("POST", "/v1/groups/sg-nat/members", {"members": ["one"]}),
        ("PUT", "/v1/groups/sg-nat/tags", {"tags": {"a": "b"}}),
        ("PATCH", "/v1/groups/sg-nat", {"description": "x"}),
        ("POST", "/v1/groups/sg-nat/members/leave", {"members": ["one"]}),
        ("DELETE", "/v1/groups/sg-nat", None),
    ):
        assert client.code(method, path, body) == (409, managed)
        assert client.ask(method, path, body, **as_service)[0] == 200
    assert client.service.control.state.get(Kind.GROUP, "sg-nat") is None
    assert DEFAULT_GROUP not in client.service.control.state.world.groups
