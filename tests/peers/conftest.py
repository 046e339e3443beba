"""What every module here shares: one lab a module, and both address families, honestly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringfence.backends.netns import inside
from ringfence.lab import conntrack
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.world import World
from tests.peers.wire import close_senders


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest, lab_names: Callable[[], str]) -> Iterator[Lab]:
    """The lab of the module's ``WORLD``, up until the module's last test; each test enforces what it needs."""
    world = request.module.WORLD
    assert isinstance(world, World)
    with Lab.up(world, lab_names()) as made:
        yield made
        close_senders()


@pytest.fixture(params=list(Family), ids=str)
def family(request: pytest.FixtureRequest) -> Family:
    """IPv4, then IPv6."""
    found = request.param
    assert isinstance(found, Family)
    return found


@pytest.fixture(autouse=True)
def _is_honest(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that says it runs over a family must have sent packets of that family through its lab."""
    if not {"lab", "family"} <= set(request.fixturenames):
        yield
        return
    made, chosen = request.getfixturevalue("lab"), request.getfixturevalue("family")
    before = _routed(made, chosen)
    yield
    assert _routed(made, chosen) > before, f"this test sent nothing over {chosen}"


@pytest.fixture(autouse=True)
def _leaves_no_connections(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing lives on that the next test's policy would cut, and whose key it would hold (SEMANTICS.md 13.2)."""
    yield
    if "lab" in request.fixturenames:
        made = request.getfixturevalue("lab")
        for name in made.world.vpcs:
            conntrack.flush(made.names.vpc(name))


def _routed(lab: Lab, family: Family) -> int:
    """Packets of a family that the routers of a lab have received; of IPv6 those that were no talk with the router."""
    return sum(_received(lab.names.vpc(name), family) for name in lab.world.vpcs)


def _received(namespace: str, family: Family) -> int:
    with inside(namespace):
        if family is Family.IPV6:
            lines = Path("/proc/thread-self/net/snmp6").read_text().splitlines()
            counts = {name: int(count) for name, count in (line.split() for line in lines)}
            return counts["Ip6InReceives"] - counts["Icmp6InMsgs"]
        names, counted = (line.split() for line in Path("/proc/thread-self/net/snmp").read_text().splitlines()[:2])
    return int(counted[names.index("InReceives")])
