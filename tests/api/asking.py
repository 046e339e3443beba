"""Who asks in the tests of authorisation: accounts and users of a served service, and policies made up as it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from ringfence.client.client import Client
from ringfence.control import basic
from ringfence.control.authority import OPERATOR
from ringfence.control.caller import Caller
from ringfence.ram.actions import ACTIONS, Action
from ringfence.resources.kind import Kind
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret
from tests.api.things import Ask, Ids, furnish, govern
from tests.served import Served, served

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
Statement = Mapping[str, Any]


def only(actions: Sequence[Action], resource: str | Sequence[str] = "*") -> Statement:
    """A statement that allows exactly these actions."""
    return {"Effect": "Allow", "Action": [action.ecs for action in actions], "Resource": resource}


def deny(actions: Sequence[Action]) -> Statement:
    """A statement that denies them."""
    return {**only(actions), "Effect": "Deny"}


def all_but(action: Action) -> Statement:
    """A statement that allows every action but one, with whatever else goes by its name."""
    return {"Effect": "Allow", "NotAction": [action.ecs], "Resource": "*"}


@dataclass(frozen=True)
class Account:
    """An account with what it has, and the tokens of who may ask there.

    ``bare`` is a user without a policy; ``probe`` one with the policy that `Town.allow` writes; ``disabled`` one that
    was disabled after logging in, ``revoked`` one whose key was.
    """

    id: str
    key: AccessKey
    ids: Ids
    tokens: Mapping[str, str]
    users: Mapping[str, str]
    policy: str


@dataclass
class Town:
    """A served service with two tenants, and the operator."""

    served: Served
    operator: Account
    tenant: Account
    stranger: Account
    http: httpx2.Client = field(repr=False)

    def home(self, ask: Ask) -> Account:
        """The account that may ask for it."""
        return self.operator if ask.operators else self.tenant

    def allow(self, account: Account, *statements: Statement) -> None:
        """Have the user ``probe`` of an account have exactly this policy."""
        document = json.dumps({"Version": "1", "Statement": list(statements)})
        caller = Caller(account.id, operator=account.id == OPERATOR, source="test")
        with self.served.control.change(caller, "Test") as draft:
            basic.update(draft, Kind.POLICY, account.policy, {"document": document})

    def ask(self, ask: Ask, token: str = "", headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """Send a request as a dry run; of an answer without an end, only the beginning is read."""
        body = ask.body.encode() if isinstance(ask.body, str) else json.dumps(ask.body).encode() if ask.body else b""
        query = {**ask.query, **({"dry_run": "true"} if ask.dry and ask.method != "GET" else {})}
        given = {"authorization": f"Bearer {token}"} if token else {}
        if ask.acting:
            given["x-ringfence-account"] = self.tenant.id
        with self.http.stream(
            ask.method, ask.path, params=query, content=body, headers={**given, **(headers or {})}
        ) as response:
            if not response.headers["content-type"].startswith("text/event-stream"):
                response.read()
        return response

    def token(self, account: Account, who: str) -> str:
        """A fresh token, for requests that use one up."""
        user = account.users.get(who, "")
        (key,) = [
            it.id for it in self.served.control.state.of_kind(Kind.ACCESS_KEY) if it.name == f"{account.id}/{user}"
        ]
        caller = Caller(account.id, user, key, account.id, account.id == OPERATOR)
        return self.served.identities.log_in(caller)[0].reveal()


@contextmanager
def town(directory: Path) -> Iterator[Town]:
    """Serve it until the block is left."""
    with served(directory) as running, ExitStack() as stack:
        http = stack.enter_context(httpx2.Client(base_url=running.url, trust_env=False, timeout=30))
        yield _Founder(running, stack).found(http)


@dataclass(frozen=True)
class _Founder:
    """Makes the accounts of a town."""

    served: Served
    stack: ExitStack

    def found(self, http: httpx2.Client) -> Town:
        root = self.client(self.served.key)
        made = [root.post("/v1/accounts", {"name": name})["item"]["id"] for name in ("tenant", "stranger")]
        acting = [self.stack.enter_context(self.served.client(account)) for account in made]
        keys = [self.key(client, "", account) for client, account in zip(acting, made, strict=True)]
        things = [
            furnish(self.client(key), client, net) for key, client, net in zip(keys, acting, (0, 20), strict=True)
        ]
        governed = govern(root, made[0])
        tenant, stranger = (
            self.account(account, key, {**ids, **governed})
            for account, key, ids in zip(made, keys, things, strict=True)
        )
        root.patch(f"/v1/access-keys/{self.served.key.id}", {"name": f"{OPERATOR}/"})
        return Town(self.served, self.account(OPERATOR, self.served.key, tenant.ids), tenant, stranger, http)

    def client(self, key: AccessKey) -> Client:
        return self.stack.enter_context(Client(self.served.url, key=key))

    def key(self, client: Client, user: str, account: str) -> AccessKey:
        told = client.post("/v1/access-keys", {"user": user})
        client.patch(f"/v1/access-keys/{told['item']['id']}", {"name": f"{account}/{user}"})
        return AccessKey(told["item"]["id"], Secret(told["secret"]))

    def account(self, id_: str, key: AccessKey, ids: Ids) -> Account:
        client = self.client(key)
        nothing = json.dumps({"Version": "1", "Statement": [deny([ACTIONS["CreateVpc"]])]})
        policy = client.post("/v1/policies", {"name": "probe", "document": nothing})["item"]["id"]
        tokens, users = {"account": client.post("/v1/tokens", {})["token"]}, {}
        for name in ("bare", "probe", "disabled", "revoked"):
            said = {"name": name, "policies": [] if name == "bare" else [policy]}
            users[name] = client.post("/v1/users", said)["item"]["id"]
            own = self.key(client, users[name], id_)
            tokens[name] = self.client(own).post("/v1/tokens", {})["token"]
            if name == "revoked":
                client.patch(f"/v1/access-keys/{own.id}", {"enabled": False})
        client.patch(f"/v1/users/{users['disabled']}", {"enabled": False})
        return Account(id_, key, ids, tokens, users, policy)
