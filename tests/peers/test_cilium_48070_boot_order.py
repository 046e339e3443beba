"""cilium#48070: after a restart the agent came up with a wrong map of who is who, and judged by it.

Here a host boots in every order: the agent before the ports' links or after them, or without a world that it could
read. Whatever the order, a link that nothing judges yet passes nothing, and once all is there, who is who is right. The
table remembers nothing of before: after a reboot it is gone, after a restart of the agent alone it is what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from ringfence import worldfile
from ringfence.errors import InvalidInput
from ringfence.lab.lab import Lab
from ringfence.lab.names import LabNames
from ringfence.lab.netns import IpRoute
from ringfence.lab.parts import parts
from ringfence.lab.topology import build as wire_up
from ringfence.lab.topology import make_namespaces, open_gates
from ringfence.lab.wiring import missing, plug
from ringfence.model.address import Family
from ringfence.model.profile import HUAWEI
from ringfence.model.world import World
from ringfence.policy.evaluate import evaluate
from tests.peers.asking import audited, command, crossings, fresh_driver, passing, plan_of, regrouped
from tests.peers.wire import address, close_senders, listening, nic, send_packets, token, until
from tests.policy.build import ask, build

pytestmark = pytest.mark.packets

WORLD = build(
    HUAWEI,
    "a: web; b: db; c: db",
    {
        "web": "out allow all to any; in allow udp 7 from any",
        "db": "in allow udp 7 from group web; in deny udp 9 from group db; in allow udp 9 from any; "
        "out allow udp 1-9 to any",
    },
)
"""What may pass depends on who is in which group."""
CHANGED = regrouped(WORLD, b=("web",))
"""What became of it while the agent was off."""
FLOWS = [f"{one} -> {two} udp/{port}" for one, two in permutations(["a", "b", "c", "laptop"], 2) for port in (7, 9)]
GUESTS = ("a", "b", "c")


class Host:
    """A host that boots: first nothing but the VPC's router and the outside is there, and nothing forwards."""

    def __init__(self, names: LabNames, file: Path) -> None:
        self.lab = Lab(CHANGED, names)
        self._names = names
        self._ip = IpRoute()
        self._file = file
        self._plugged: list[str] = []
        wire_up(self._with(()), names, self._ip)

    def _with(self, guests: Iterable[str]) -> World:
        return replace(CHANGED, instances={name: CHANGED.instances[name] for name in sorted(guests)})

    def plug(self, guest: str) -> None:
        """Its link comes, with addresses, routes and neighbours, as whoever starts machines makes them."""
        before, after = self._with(self._plugged), self._with([*self._plugged, guest])
        make_namespaces([self._names.instance(guest)], after, self._names, self._ip)
        plug(missing(parts(after, self._names), parts(before, self._names)), self._ip)
        self._plugged.append(guest)
        card = nic(self.lab, guest)
        ends = (card.namespace, card.link), (card.router, card.outer)
        assert until(lambda: all("state UP" in command(*where, "ip", "link", "show", link) for *where, link in ends))

    def start_agent(self) -> None:
        """Read the world, enforce it, and only then forward; raises `InvalidInput`."""
        world = worldfile.read(self._file)
        driver = fresh_driver(self.lab)
        driver.apply(plan_of(world))
        driver.close()
        open_gates(world, self._names)

    def crossing(self, family: Family) -> int:
        """How many packets of all sorts get from any guest that is there to any other and to the outside."""
        found = 0
        for one, two in permutations([*self._plugged, "laptop"], 2):
            ends, mark = (address(self.lab, one, family), address(self.lab, two, family)), token()
            with listening(nic(self.lab, two)) as ear:
                send_packets(nic(self.lab, one), *crossings(*ends, mark))
                found += sum(mark in each for each in ear.heard())
        return found

    def is_right(self, family: Family) -> bool:
        """Whether packets do what the evaluator says, and the kernel says what the plan says."""
        expected = {flow for flow in FLOWS if evaluate(CHANGED, ask(CHANGED, flow, family)).allowed}
        return passing(self.lab, family, FLOWS) == expected and audited(self.lab, plan_of(CHANGED)) == []


@pytest.fixture
def host(lab_names: Callable[[], str], tmp_path: Path) -> Iterator[Host]:
    """Whoever gave the name takes it down."""
    names = LabNames(lab_names())
    names.directory.mkdir(parents=True)
    file = tmp_path / "world.yaml"
    file.write_text(worldfile.dump(CHANGED))
    made = Host(names, file)
    yield made
    made.lab.close()
    close_senders()


ORDERS = {
    "agent first": ["agent", *GUESTS],
    "links first": [*GUESTS, "agent"],
    "agent in the middle": ["b", "agent", "a", "c"],
    "agent twice": ["agent", "c", "a", "agent", "b"],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_whatever_comes_first_nothing_passes_too_early_and_in_the_end_all_is_right(
    host: Host, order: list[str]
) -> None:
    judged = False
    for what in order:
        if what == "agent":
            host.start_agent()
            judged = True
        else:
            host.plug(what)
        if not judged:
            assert [host.crossing(family) for family in Family] == [0, 0], f"after {what}"
    assert [host.is_right(family) for family in Family] == [True, True]


UNREADABLE = {"no file": None, "no world": "vpcs: [", "half a world": "groups: {web: {rules: [in allow]}}\n"}
"""Stand-ins for a database that is down, or that gives nonsense."""


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_without_a_world_nothing_passes_until_there_is_one(host: Host, tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "world.yaml"
    right = file.read_text()
    file.unlink() if text is None else file.write_text(text)
    for guest in GUESTS:
        with pytest.raises(InvalidInput):
            host.start_agent()
        host.plug(guest)
    assert [host.crossing(family) for family in Family] == [0, 0]
    file.write_text(right)
    host.start_agent()
    assert [host.is_right(family) for family in Family] == [True, True]


def test_a_port_plugged_while_the_agent_is_dead_passes_nothing(host: Host, tmp_path: Path) -> None:
    """What the table does not know passes nothing, whatever those that it knows may do; until the agent is back."""
    file = tmp_path / "world.yaml"
    right, without = file.read_text(), replace(CHANGED, instances={name: CHANGED.instances[name] for name in "ab"})
    file.write_text(worldfile.dump(without))
    host.plug("a")
    host.plug("b")
    host.start_agent()
    before = [host.crossing(family) for family in Family]
    assert min(before) > 0
    host.plug("c")
    assert [host.crossing(family) for family in Family] == before
    file.write_text(right)
    host.start_agent()
    assert [host.is_right(family) for family in Family] == [True, True]


def test_a_restart_goes_on_from_what_the_kernel_holds(host: Host, tmp_path: Path) -> None:
    """While the agent is dead the old policy is in force, also if it comes up and finds no world; then the new one."""
    file = tmp_path / "world.yaml"
    right = file.read_text()
    file.write_text(worldfile.dump(WORLD))
    for guest in GUESTS:
        host.plug(guest)
    host.start_agent()
    for text in ("", "vpcs: ["):
        file.write_text(text)
        with pytest.raises(InvalidInput):
            host.start_agent()
        for family in Family:
            before = {flow for flow in FLOWS if evaluate(WORLD, ask(WORLD, flow, family)).allowed}
            assert passing(host.lab, family, FLOWS) == before
    file.write_text(right)
    host.start_agent()
    assert [host.is_right(family) for family in Family] == [True, True]
