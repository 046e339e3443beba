"""A server and agents as processes of their own: packets prove what is in force, whichever of them is killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest

from ringfence import worldfile
from ringfence.backends.nftables.driver import Driver
from ringfence.backends.nftables.generation import Generation
from ringfence.client.client import Client
from ringfence.compile.compiler import compile_world
from ringfence.control import basic
from ringfence.control.control import Control
from ringfence.errors import Forbidden
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.profile import HUAWEI
from ringfence.model.world import World
from ringfence.policy.evaluate import evaluate
from ringfence.resources.kind import Kind
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret
from ringfence.store.store import Store
from tests.agent.places import FOREIGN, bare, nft, told, unguarded
from tests.control.service import ROOT as CALLER
from tests.peers.asking import VPC, crossings, passing, with_groups
from tests.peers.wire import address, close_senders, listening, nic, send_packets, token
from tests.policy.build import ask, build
from tests.server.processes import Process, Processes, Server, until

pytestmark = pytest.mark.packets

RULES = ("in allow udp 7 from any", "out allow all to any")
WORLD = build(HUAWEI, "a: web; b: db", {"web": "; ".join(RULES), "db": "in allow udp 7 from group web"})
FLOWS = [f"{one} -> {two} udp/{port}" for one, two in (("a", "b"), ("b", "a"), ("laptop", "a")) for port in (7, 8)]
THEIRS = ("inet theirs", "ip ringfence-too", "netdev ringfence")
DOCS = Path(__file__).parent.parent.parent / "docs/service.md"
AGENTS_POLICY = json.loads(DOCS.read_text().split("```json\n")[1].split("```")[0])
"""What docs/service.md gives agents."""


@pytest.fixture
def lab(lab_name: str) -> Iterator[Lab]:
    with Lab.up(WORLD, lab_name) as made:
        yield made
        close_senders()


def agents_key(server: Client, policy: object = AGENTS_POLICY) -> AccessKey:
    """The key of a user who may do what agents do."""
    document = server.post("/v1/policies", {"name": "agent", "document": json.dumps(policy)})["item"]["id"]
    user = server.post("/v1/users", {"name": "agent", "policies": [document]})["item"]["id"]
    made = server.post("/v1/access-keys", {"user": user})
    return AccessKey(made["item"]["id"], Secret(made["secret"]))


class Host:
    """A host whose VPC's router is there and wired, and agents that enforce in it."""

    def __init__(self, run: Processes, lab: Lab) -> None:
        self.run, self.lab = run, lab
        self.prefix = unguarded(lab)
        self.namespace = self.prefix + VPC
        self.world = WORLD
        file = run.directory / "world.yaml"
        file.write_text(worldfile.dump(WORLD))
        self.server = run.serve("--world", file)
        self.key = agents_key(self.server.client())

    def agent(self) -> Process:
        """Start the agent."""
        return self.run.agent(self.server.url, "--namespaces", self.prefix, "--audit-every", "1", key=self.key)

    def serve_again(self) -> None:
        """Start the server again, where it was."""
        self.server = self.run.serve(port=self.server.port)

    def add(self, rule: str, **query: Any) -> dict[str, Any]:
        """Add a rule to the group web."""
        told: dict[str, Any] = self.server.client().post("/v1/groups/web/rules", {"rules": [rule]}, query)
        self.expect(rule)
        return told

    def expect(self, rule: str) -> None:
        """The group web has another rule."""
        self.world = with_groups(self.world, {"web": (*self.world.groups["web"].rules, rule)})

    def boot(self) -> None:
        """The host starts anew: nothing is left of any policy, and nothing routes."""
        nft(self.namespace, "delete", "table", "inet", "ringfence")
        unguarded(self.lab)

    def is_right(self) -> bool:
        """Whether packets do what the evaluator says of the world that should be in force."""
        return all(passing(self.lab, family, FLOWS) == self.allowed(family) for family in Family)

    def allowed(self, family: Family) -> set[str]:
        return {flow for flow in FLOWS if evaluate(self.world, ask(self.world, flow, family)).allowed}

    def is_equal(self) -> bool:
        """Whether the kernel holds the plan of that world, rule ids aside: they are the server's own."""
        return audited(self.namespace, stored(self.run)) == []


def stored(run: Processes) -> World:
    """The world in the store."""
    with closing(Store.open(f"sqlite:///{run.directory}/data/ringfence.db")) as store:
        return Control(store).state.world


def audited(namespace: str, world: World) -> list[str]:
    driver = Driver(namespace, "ringfence")
    try:
        return driver.audit(compile_world(world).vpcs[VPC])
    finally:
        driver.close()


def others(namespace: str) -> str:
    """The tables of others, but for what their counters have counted: packets do pass."""
    return "".join(nft(namespace, "-s", "-a", "list", "table", *name.split()) for name in THEIRS)


def crossing(lab: Lab) -> int:
    """How many packets of all sorts get from any guest to any other and to the outside."""
    found = 0
    for (one, two), family in product(permutations(("a", "b", "laptop"), 2), Family):
        ends, mark = (address(lab, one, family), address(lab, two, family)), token()
        with listening(nic(lab, two)) as ear:
            send_packets(nic(lab, one), *crossings(*ends, mark))
            found += sum(mark in each for each in ear.heard())
    return found


def enforced(server: Server) -> dict[str, tuple[int, str]]:
    """What the agents have told."""
    return {it["agent"]: (it["revision"], it["status"]) for it in server.client().get("/v1/enforcement")["items"]}


def test_whoever_is_killed_the_policy_stays_and_in_the_end_is_right(run: Processes, lab: Lab) -> None:
    host = Host(run, lab)
    nft(host.namespace, "-f", "-", text=FOREIGN)
    foreign = others(host.namespace)
    assert crossing(lab) == 0
    agent = host.agent()
    agent.wait_for("agent.enforced")
    assert host.is_right()
    assert host.add("in allow udp 8 from group db", wait=20)["enforced"] is True
    assert host.is_right()

    host.server.kill()
    agent.wait_for("agent.lost")
    assert host.is_right()
    nft(host.namespace, "flush", "table", "inet", "ringfence")
    agent.wait_for("agent.drift")  # it looks after the kernel without a server, too
    assert host.is_right()

    with closing(Store.open(f"sqlite:///{run.directory}/data/ringfence.db")) as store:
        _write(Control(store), "in allow udp 8 from any")
        store.prune(store.head())
    host.expect("in allow udp 8 from any")
    host.serve_again()
    agent.wait_for("agent.following")
    until(lambda: enforced(host.server)["one"][0] == _head(host.server))
    assert host.is_right()
    assert host.is_equal()

    agent.kill()
    with closing(Generation(host.namespace)) as generation:
        before = generation.now()
        again = host.agent()
        again.wait_for("agent.enforced")
        assert generation.now() == before  # not one transaction
        again.kill()
        host.add("in deny udp 8 from any priority 1")
        final = host.agent()
        final.wait_for("agent.enforced")
        assert before < generation.now() < before + 5
    assert host.is_right()
    assert host.is_equal()
    assert others(host.namespace) == foreign
    assert final.end() == 0
    assert enforced(host.server)["one"][1] == "stopped"
    assert others(host.namespace) == foreign
    assert host.is_right()


def _write(control: Control, rule: str) -> None:
    with control.change(CALLER, "AuthorizeSecurityGroup") as draft:
        basic.create(draft, Kind.RULE, {"group": "web", "rule": rule})


def _head(server: Server) -> int:
    found: int = server.client().get("/v1/enforcement")["revision"]
    return found


def test_a_host_boots_without_its_server(run: Processes, lab: Lab) -> None:
    """What was kept is enforced, up to the last revision; a file that is broken is refused, and opens nothing."""
    host = Host(run, lab)
    agent = host.agent()
    agent.wait_for("agent.enforced")
    for number in range(3):
        assert host.add(f"in allow udp {8 + number} from any", wait=20)["enforced"] is True
    agent.kill()
    host.server.kill()
    host.boot()
    assert crossing(lab) == 0
    alone = host.agent()
    alone.wait_for("agent.enforced")
    assert host.is_right()
    alone.kill()

    host.boot()
    kept = run.directory / "agent-one/agent-one.state"
    kept.write_bytes(kept.read_bytes()[:-3])
    blind = host.agent()
    blind.wait_for("is not whole")
    time.sleep(1)
    assert crossing(lab) == 0
    host.serve_again()
    blind.wait_for("agent.enforced")
    assert host.is_right()


def test_the_policy_of_agents_is_enough_for_them_and_for_nothing_else(run: Processes, tmp_path: Path) -> None:
    """And only in the operator's account: a tenant's user with the same policy may not see what others have."""
    server = run.serve()
    root = server.client()
    tenant = root.post("/v1/accounts", {"name": "tenant"})["item"]["id"]
    own, foreign = server.client(agents_key(root)), server.client(agents_key(server.client(account=tenant)))
    report = {"agent": "one", "revision": 1, "status": "ok"}
    for client, allowed in ((own, True), (foreign, False)):
        asks: list[Callable[[], object]] = [
            lambda at=client: at.get_bytes("/v1/snapshot", {"everything": "true"}),  # type: ignore[misc]
            lambda at=client: at.post("/v1/enforcement", report),  # type: ignore[misc]
        ]
        for asked in asks:
            if allowed:
                asked()
            else:
                with pytest.raises(Forbidden):
                    asked()
        for path in ("/v1/groups", "/v1/enforcement", "/v1/users", "/v1/audit", "/v1/quotas/usage", "/metrics"):
            with pytest.raises(Forbidden):
                client.get_bytes(path)
        with pytest.raises(Forbidden):
            client.post("/v1/vpcs", {"name": "mine", "cidrs": ["10.0.0.0/16"]})
    snapshot = own.get_bytes("/v1/snapshot", {"everything": "true"}).decode()
    assert '"kind": "access_key"' not in snapshot.replace('":"', '": "')


def test_all_agents_that_are_alive_are_waited_for(run: Processes) -> None:
    """One that is stopped or lost is not, and comes back into the count when it comes back."""
    server = run.serve()
    root = server.client()
    with bare("main") as one, bare("main") as two:
        agents = {
            name: run.agent(server.url, "--namespaces", prefix, name=name)
            for name, prefix in (("one", one), ("two", two))
        }
        nft(f"{one}main", "-f", "-", text=FOREIGN)
        foreign = told(f"{one}main", *THEIRS)
        for agent in agents.values():
            agent.wait_for("agent.enforced")
        made = root.post("/v1/vpcs", {"name": "main", "cidrs": ["10.0.0.0/16"]}, {"wait": 20})
        assert made["enforced"] is True
        assert {name: it[0] for name, it in enforced(server).items()} == {"one": 2, "two": 2}
        agents["two"].kill()
        waited = root.post("/v1/groups", {"name": "web", "vpc": "main"}, {"wait": 1})
        assert waited["enforced"] is False
        root.post("/v1/enforcement", {"agent": "two", "revision": 2, "status": "stopped"})
        assert root.patch("/v1/groups/web", {"description": "x"}, {"wait": 20})["enforced"] is True
        back = run.agent(server.url, "--namespaces", two, name="two")
        back.wait_for("agent.enforced")
        until(lambda: {it[0] for it in enforced(server).values()} == {4})
        assert agents["one"].end() == 0
        assert told(f"{one}main", *THEIRS) == foreign  # with counts and handles, as no packet passes here
        assert [audited(f"{prefix}main", stored(run)) for prefix in (one, two)] == [[], []]
        root.delete("/v1/groups/web")
        root.delete("/v1/vpcs/main")
        gone = run.agent(server.url, "--namespaces", one, name="one")
        gone.wait_for("agent.enforced")
        assert "inet ringfence" not in nft(f"{one}main", "list", "tables")  # of a VPC that went while it was off
        assert nft(f"{one}main", "list", "tables").count("table") == 3
