"""A cloud for tests: the whole service over HTTP, with a lab in which what it decides is enforced on packets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.agent.fabric import LabFabric
from ringfence.client.client import Client
from ringfence.control.authority import REGION
from ringfence.lab.lab import Lab, down
from ringfence.model.address import Family
from ringfence.model.flow import Query
from ringfence.model.rule import Action
from ringfence.model.world import World
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret
from ringfence.server.runtime import Runtime, Settings
from tests.serving import serving
from tests.wire.sdks import Sdks


@dataclass(frozen=True)
class Cloud:
    """A service whose VPCs and instances are namespaces of a lab as soon as they are made."""

    runtime: Runtime
    url: str
    lab_name: str
    native: Client
    """The native API, of the operator's key."""

    def tenant(self) -> Sdks:
        """The SDKs of a new tenant's own key, which may do everything in the account."""
        account = self.native.post("/v1/accounts", {"name": "tenant"})["item"]["id"]
        return self._sdks(account, {})

    def user(self, of: Sdks, *statements: Mapping[str, Any], version: str = "1") -> Sdks:
        """The SDKs of a new RAM user of a tenant's, with a policy of these statements."""
        with Client(self.url, key=of.key) as client:
            document = json.dumps({"Version": version, "Statement": list(statements)})
            policy = client.post("/v1/policies", {"document": document})["item"]["id"] if statements else ""
            user = client.post("/v1/users", {"name": "ann", "policies": [policy] if policy else []})["item"]["id"]
        return self._sdks(of.account, {"user": user})

    def _sdks(self, account: str, said: Mapping[str, str]) -> Sdks:
        assert self.runtime.root_key
        with Client(self.url, key=self.runtime.root_key, account=account) as client:
            told = client.post("/v1/access-keys", dict(said))
        return Sdks(self.url, AccessKey(told["item"]["id"], Secret(told["secret"])), account)

    def settle(self) -> None:
        """Wait until everything that was asked for is in force."""
        control = self.runtime.control
        assert control.enforcement.wait(control.state.revision, 20), control.enforcement.reports()

    def passes(self, flow: str, family: Family = Family.IPV4) -> bool:
        """Whether a packet passes now, as seen in the kernel: ``i-1 -> i-2 tcp/80``; ports as ``i-1.eth0``."""
        (found,) = self.passing((flow, family))
        return found

    def passing(self, *flows: tuple[str, Family]) -> list[bool]:
        """The same of several flows at once, each over a family."""
        self.settle()
        with closing(Lab.attach(self.lab_name)) as lab:
            queries = [(Query.parse(flow), family) for flow, family in flows]
            asked = [lab.world.flow(Query.of(it.source, it.destination, it.service, family)) for it, family in queries]
            return [seen.action is Action.ALLOW for seen in lab.probe(asked)]


@contextmanager
def cloud(directory: Path, lab_name: str, region: str = REGION) -> Iterator[Cloud]:
    """A service with nothing in it, and its lab; both are gone at the end of the block."""
    lab = Lab.up(World(), lab_name)
    try:
        runtime = Runtime(Settings(f"sqlite:///{directory}/ringfence.db", directory / "keys", region=region))
        runtime.attach("local", LabFabric(lab))
        assert runtime.root_key
        with runtime.running(), serving(runtime.app()) as serves, Client(serves.url, key=runtime.root_key) as client:
            yield Cloud(runtime, serves.url, lab_name, client)
    finally:
        lab.close()
        down(lab_name)
