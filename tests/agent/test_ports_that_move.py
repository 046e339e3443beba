"""Ports that come to an instance, leave it, move and hang off others: what packets make of it, in both families."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from ringfence.agent.enforcer import Enforcer
from ringfence.agent.fabric import LabFabric
from ringfence.agent.namespaces import Namespaces
from ringfence.control import addressing, attaching, machines
from ringfence.control.draft import Draft
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.mac import mac_of
from ringfence.model.world import World
from ringfence.resources.edits import edits_of
from ringfence.resources.kind import Kind
from tests.agent.places import enforcing, unguarded
from tests.control.service import Service
from tests.lab.worlds import flow
from tests.service.kernel import wrong

pytestmark = pytest.mark.packets

ANYBODY = ["out allow all to any"]
APPS_ONLY = ["in allow tcp 80 from group app", *ANYBODY]


@dataclass
class Place:
    """A service, a lab that enforces what it keeps, and what a test asks of both."""

    service: Service
    lab: Lab
    enforcer: Enforcer

    def do(self, work: Callable[[Draft], object]) -> None:
        """Make a change, and enforce it as an agent does."""
        before = self.service.control.state
        with self.service.control.change(self.service.caller, "Test") as draft:
            work(draft)
            changes = draft.changes
        after = self.service.control.state
        assert self.enforcer.enforce(after.world, edits_of(before, after, changes)).ok

    def passes(self, *texts: str) -> list[bool]:
        """Whether packets arrive, over IPv4 and over IPv6, and the world says the same."""
        flows = [flow(self.lab.world, text, family) for text, family in product(texts, Family)]
        return [found.arrived for found in self.lab.probe(flows)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Instances app-1 (in app), db-1 (guarded: apps only) and bare-1 (in none of them), and a port of no instance."""
    with Service.fresh(tmp_path) as made:
        made.make(Kind.VPC, name="net", cidrs=["10.0.0.0/16", "fd00:1::/56"], profile="huawei")
        for number, name in enumerate(["one", "two"], start=1):
            cidr, cidr6 = f"10.0.{number}.0/24", f"fd00:1:0:{number}::/64"
            made.make(Kind.SUBNET, name=name, vpc="net", cidr=cidr, cidr6=cidr6)
        for name in ("app", "db", "bare"):
            made.make(Kind.GROUP, name=name)
        for name, lines in (("app", ANYBODY), ("db", APPS_ONLY), ("bare", ANYBODY)):
            for line in lines:
                made.make(Kind.RULE, group=name, rule=line)
        for name in ("app", "db", "bare"):
            made.make(Kind.INSTANCE, name=f"{name}-1", ports=[{"subnet": "one", "groups": [name]}])
        yield made


def loose(service: Service, group: str = "app") -> str:
    """A port of no instance."""
    return service.make(Kind.PORT, subnet="two", groups=[group]).id


@contextmanager
def shown(service: Service, name: str) -> Iterator[Place]:
    with Lab.up(service.control.state.world, name) as lab:
        enforcer = Enforcer(LabFabric(lab))
        enforcer.enforce(service.control.state.world)
        yield Place(service, lab, enforcer)
        assert lab.world.port_by_name.keys() == service.control.state.world.port_by_name.keys()
        assert lab.verify().ok  # every pair of addresses, as the model says
        enforcer.close()


def mac_in_guest(lab: Lab, name: str) -> str:
    port = lab.world.port_by_name[name]
    command = ["ip", "-n", lab.names.guest(*port.guest), "-br", "link", "show", port.name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[2]


def test_a_port_is_judged_as_a_member_from_its_attachment_to_its_detachment(service: Service, lab_name: str) -> None:
    port = loose(service)
    known = service.control.state.world.detached[port].port
    with shown(service, lab_name) as place:
        nobody = f"app-1 -> {known.addresses[0]} tcp/80"
        assert not place.lab.probe([flow(place.lab.world, nobody)])[0].arrived
        assert place.passes("bare-1 -> db-1 tcp/80") == [False, False]
        place.do(lambda draft: attaching.attach(draft, port, "bare-1"))
        assert place.passes("bare-1.eth1 -> db-1 tcp/80", "bare-1 -> db-1 tcp/80") == [True, True, False, False]
        assert mac_in_guest(place.lab, "bare-1.eth1") == mac_of(known)
        place.do(lambda draft: attaching.detach(draft, port))
        assert "bare-1.eth1" not in place.lab.world.port_by_name
        assert not place.lab.probe([flow(place.lab.world, nobody)])[0].arrived
        place.do(lambda draft: attaching.attach(draft, port, "app-1", index=5))
        assert place.passes("app-1.eth1 -> db-1 tcp/80") == [True, True]


def test_nothing_passes_by_a_detached_port_though_its_wire_is_still_there(service: Service, lab_name: str) -> None:
    """Wires are somebody else's: the agent knows their names, and what it does not know does not pass."""
    port = loose(service)
    service.do(lambda draft: attaching.attach(draft, port, "bare-1"))
    attached = service.control.state.world
    service.do(lambda draft: attaching.detach(draft, port))
    detached = service.control.state.world
    with Lab.up(attached, lab_name) as lab:
        texts = ("bare-1.eth1 -> db-1 tcp/80", "db-1 -> bare-1.eth1 tcp/80", "bare-1.eth1 -> app-1 icmp")
        flows = [flow(attached, text, family) for text, family in product(texts, Family)]
        prefix = unguarded(lab)

        def arrived(world: World) -> list[bool]:
            assert enforcer.enforce(world).ok
            assert wrong(prefix, world) == []
            return [found.arrived for found in lab.probe(flows)]

        with enforcing(Namespaces(prefix)) as enforcer:
            assert arrived(attached)[:2] == [True, True]
            assert arrived(detached) == [False] * len(flows)
            assert arrived(attached)[:2] == [True, True]


def test_a_supplementary_interface_has_groups_of_its_own(service: Service, lab_name: str) -> None:
    """It goes where its parent goes, and moves to another parent."""
    below, carrier = loose(service), loose(service, "bare")
    with shown(service, lab_name) as place:
        place.do(lambda draft: attaching.hang(draft, below, "bare-1.eth0", vlan=100))
        assert place.passes("bare-1.eth1 -> db-1 tcp/80", "bare-1 -> db-1 tcp/80") == [True, True, False, False]
        port = place.lab.world.port_by_name["bare-1.eth1"]
        assert (port.parent, port.vlan) == ("eth0", 100)
        place.do(lambda draft: attaching.migrate(draft, [(below, 7)], carrier))
        assert "bare-1.eth1" not in place.lab.world.port_by_name
        place.do(lambda draft: attaching.attach(draft, carrier, "db-1"))
        own = {it.name: it for it in place.lab.world.instances["db-1"].ports}
        (hung,) = (it for it in own.values() if it.vlan == 7)
        assert place.passes(f"{hung} -> app-1 icmp", f"app-1 -> {hung} tcp/80") == [False] * 4
        place.do(lambda draft: attaching.detach(draft, below))
        assert {*place.lab.world.instances["db-1"].by_name} == {*own} - {hung.name}


def test_a_machine_moves_to_another_subnet_with_other_groups_at_once(service: Service, lab_name: str) -> None:
    with shown(service, lab_name) as place:
        old = place.lab.world.port_by_name["bare-1.eth0"]
        place.do(lambda draft: machines.move(draft, "bare-1", "two", ["app"], address="10.0.2.77", force=True))
        new = place.lab.world.port_by_name["bare-1.eth0"]
        assert [str(it) for it in new.addresses] == ["10.0.2.77", "fd00:1:0:2::2"]
        assert place.passes("bare-1 -> db-1 tcp/80") == [True, True]
        assert old.groups != new.groups


def test_more_addresses_of_a_port_are_its_members_addresses_until_they_are_taken(
    service: Service, lab_name: str
) -> None:
    with shown(service, lab_name) as place:
        more = "10.0.1.77", "fd00:1:0:1::77"
        place.do(lambda draft: addressing.assign(draft, "app-1.eth0", more))
        by_more = [f"{address} -> db-1 tcp/80" for address in more]
        texts = [(by_more[0], Family.IPV4), (by_more[1], Family.IPV6)]
        assert all(found.arrived for found in place.lab.probe([flow(place.lab.world, *it) for it in texts]))
        place.do(lambda draft: addressing.unassign(draft, "app-1.eth0", more))
        assert len(place.lab.world.port_by_name["app-1.eth0"].addresses) == 2
