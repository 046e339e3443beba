"""feint#475, CloudStack#4351: the API said that it was done, and the host had no rule of it.

Here an answer says ``enforced: true`` only if the kernel, read back by somebody who remembers nothing, holds what is
stored; and where it cannot, the answer says so, and the agent's report says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringfence.agent.agent import AUDIT
from ringfence.agent.namespaces import Namespaces
from ringfence.backends.nftables.library import Nft
from ringfence.client.client import Client
from ringfence.errors import CannotRun, KernelRefused
from ringfence.lab.live import Passage
from ringfence.model.edit import Edit
from ringfence.model.world import World
from ringfence.server.runtime import Runtime, Settings
from tests.agent.places import TABLE, bare
from tests.service.kernel import wrong
from tests.serving import serving

pytestmark = pytest.mark.packets

VPC = "net"


@contextmanager
def service(data: Path, fabric: Namespaces, audit_every: float = AUDIT) -> Iterator[tuple[Runtime, Client]]:
    """A server with an agent in it, and a client of the operator's."""
    runtime = Runtime(Settings.at(data, audit_every=audit_every))
    runtime.attach("local", fabric)
    assert runtime.root_key
    with runtime.running(), serving(runtime.app()) as serves, Client(serves.url, key=runtime.root_key) as client:
        client.post("/v1/vpcs", {"name": VPC, "cidrs": ["10.0.0.0/16", "fd00:1::/56"]})
        client.post("/v1/acls", {"name": "edge", "rules": ["in allow all from any to any"]})
        client.post("/v1/subnets", {"name": "sub", "vpc": VPC, "cidr": "10.0.1.0/24", "cidr6": "fd00:1:0:1::/64"})
        client.post("/v1/address-groups", {"name": "office", "entries": ["198.51.100.7"]})
        for name in ("one", "two"):
            client.post("/v1/groups", {"name": name, "template": "default"})
        client.post("/v1/instances", {"name": "vm", "ports": [{"subnet": "sub", "groups": ["one"]}]})
        yield runtime, client


def asked(client: Client, what: tuple[str, str, Any], seconds: int = 20) -> bool:
    """Whether a change is enforced, as its answer says."""
    method, path, said = what
    body = () if method == "delete" else (said,)
    told: bool = getattr(client, method)(path, *body, query={"wait": seconds})["enforced"]
    return told


def report(client: Client) -> dict[str, Any]:
    """What the agent says of itself."""
    (found,) = client.get("/v1/enforcement")["items"]
    return dict(found)


def soon(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


CHANGES: Sequence[tuple[str, str, Any]] = (
    ("post", "/v1/groups/one/rules", {"rules": ["in allow tcp 80 from office", "out deny udp 53 to any"]}),
    ("post", "/v1/address-groups/office/entries", {"add": ["203.0.113.0/24"], "remove": ["198.51.100.7"]}),
    ("post", "/v1/groups/two/members", {"members": ["vm"]}),
    ("patch", "/v1/subnets/sub", {"acl": "edge"}),
    ("patch", "/v1/acls/edge", {"enabled": False}),
    ("patch", "/v1/groups/one", {"intra_group": "accept"}),
    ("patch", "/v1/groups/one", {"description": "says nothing to the kernel"}),
    ("post", "/v1/penalties", {"port": "vm.eth0", "reason": "spam"}),
    ("post", "/v1/instances", {"name": "vm-2", "ports": [{"subnet": "sub", "groups": ["two"]}]}),
    ("post", "/v1/groups/one/members/leave", {"members": ["vm"]}),
    ("patch", f"/v1/vpcs/{VPC}", {"border": ["in deny tcp 22 from any to any", "in allow all from any to any"]}),
    ("post", "/v1/groups/two/rules", {"rules": [f"in allow tcp {port} from any" for port in range(1000, 1010)]}),
    ("delete", "/v1/instances/vm-2", None),
    ("post", "/v1/address-groups/office/entries", {"add": [], "remove": ["203.0.113.0/24"]}),
    ("post", "/v1/port-lists", {"name": "web-ports", "entries": ["80", "8000-8100"]}),
    (
        "post",
        "/v1/groups/two/rules",
        {"rules": ["in allow tcp web-ports from any", "out deny udp web-ports to ::/0"]},
    ),
    ("post", "/v1/port-lists/web-ports/entries", {"add": ["443", "8050-8200"], "remove": ["80"]}),
    ("patch", "/v1/port-lists/web-ports", {"entries": []}),
    ("patch", "/v1/port-lists/web-ports", {"entries": ["9000"], "remarks": {"9000": "metrics"}}),
    ("patch", "/v1/port-lists/web-ports", {"entries": ["1-65535"]}),
)


def test_after_every_change_the_kernel_holds_what_was_asked_for(tmp_path: Path) -> None:
    """Changes of all kinds, one after the other; one that is only tried is not said to be enforced."""
    with bare(VPC) as prefix, service(tmp_path, Namespaces(prefix)) as (runtime, client):
        for change in CHANGES:
            assert asked(client, change), change
            assert wrong(prefix, runtime.control.state.world) == []
            assert report(client)["status"] == "ok"
            assert report(client)["revision"] == runtime.control.state.revision
        tried = client.post(CHANGES[0][1], {"rules": ["in allow tcp 99 from any"]}, {"wait": 1, "dry_run": True})
        assert "enforced" not in tried


def test_a_change_that_the_kernel_refuses_is_not_enforced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says why; and once the kernel takes it, it and what came after it are enforced without anybody's help."""
    with bare(VPC) as prefix, service(tmp_path, Namespaces(prefix)) as (runtime, client):
        assert asked(client, CHANGES[0])
        before = runtime.control.state.world
        with monkeypatch.context() as patch:
            patch.setattr(Nft, "run", _refuse)
            assert not asked(client, CHANGES[1], 1)
            assert not asked(client, CHANGES[2], 1)
            told = report(client)
            assert (told["status"], told["revision"] < runtime.control.state.revision) == ("failed", True)
            assert "out of memory" in told["detail"]
        wanted = runtime.control.state
        assert client.get(f"/v1/revisions/{wanted.revision}/enforcement", {"wait": 20})["enforced"]
        assert wanted.world != before
        assert wrong(prefix, wanted.world) == []
        assert report(client)["status"] == "ok"


def _refuse(nft: Nft, commands: str) -> None:
    raise KernelRefused("nftables refused the change as a whole: out of memory")


def test_a_table_of_somebody_else_is_told_until_it_is_gone(tmp_path: Path) -> None:
    """A refusal of the kernel's own: nobody may change a table with an owner."""
    with bare(VPC) as prefix:
        owner = Nft(prefix + VPC)
        owner.run(f"add table inet {TABLE} {{ flags owner; }}")
        with service(tmp_path, Namespaces(prefix)) as (runtime, client):
            assert not asked(client, CHANGES[0], 1)
            soon(lambda: report(client)["status"] == "failed")
            owner.close()
            assert asked(client, CHANGES[1])
            assert wrong(prefix, runtime.control.state.world) == []


def test_what_was_enforced_once_and_cannot_be_mended_is_not_in_force(tmp_path: Path) -> None:
    """Its revision is still the newest that the agent had in the kernel, and the kernel holds it no longer."""
    with bare(VPC) as prefix, service(tmp_path, Namespaces(prefix), audit_every=1) as (runtime, client):
        assert asked(client, CHANGES[0])
        number = runtime.control.state.revision
        with closing(Nft(prefix + VPC)) as thief:
            thief.run(f"delete table inet {TABLE}\nadd table inet {TABLE} {{ flags owner; }}")
            soon(lambda: report(client)["status"] == "failed")
            assert report(client)["revision"] == number
            assert not client.get(f"/v1/revisions/{number}/enforcement")["enforced"]
        assert client.get(f"/v1/revisions/{number}/enforcement", {"wait": 20})["enforced"]
        assert wrong(prefix, runtime.control.state.world) == []


def test_a_stopped_agent_enforces_nothing(tmp_path: Path) -> None:
    """Nobody says that a change is enforced which came after an agent's end; what came before is in force still."""
    with bare(VPC) as prefix, service(tmp_path, Namespaces(prefix)) as (runtime, client):
        assert asked(client, CHANGES[0])
        enforced = runtime.control.state.world
        assert runtime.agent
        runtime.agent.stop()
        assert not asked(client, CHANGES[2], 1)
        assert wrong(prefix, enforced) == []
        assert wrong(prefix, runtime.control.state.world) != []


class Busy(Namespaces):
    """A place that is not to be had now and then, before anything is done: as a lab that somebody else changes."""

    busy = False

    @contextmanager
    def changing(self, world: World, since: World | None, edits: Sequence[Edit] | None) -> Iterator[Passage]:
        """See `Fabric`."""
        if self.busy:
            raise CannotRun("somebody else changes the lab")
        with super().changing(world, since, edits) as passage:
            yield passage


def test_what_could_not_even_be_begun_is_not_forgotten(tmp_path: Path) -> None:
    """The change that came meanwhile is enforced with the next one, and by trying again."""
    with bare(VPC) as prefix:
        fabric = Busy(prefix)
        with service(tmp_path, fabric) as (runtime, client):
            assert asked(client, CHANGES[0])
            for change, later in ((CHANGES[1], CHANGES[6]), (CHANGES[2], None)):
                fabric.busy = True
                assert not asked(client, change, 1)
                assert report(client)["status"] == "failed"
                fabric.busy = False
                if later:
                    assert asked(client, later)
                number = runtime.control.state.revision
                assert client.get(f"/v1/revisions/{number}/enforcement", {"wait": 20})["enforced"]
                assert wrong(prefix, runtime.control.state.world) == []
