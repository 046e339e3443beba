"""Every cause has a world: the diagnosis names it first there, and packets show that the flow does not work.

The order and the causes are those of Huawei Cloud's "Why Do My Security Group Rules Not Work?".
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from ringfence.analysis.fix.brief import Brief
from ringfence.analysis.why.causes import Cause
from ringfence.analysis.why.diagnosis import Diagnosis, diagnose
from ringfence.analysis.why.telling import explain
from ringfence.backends.netns import inside
from ringfence.lab.guest import look_and_probe
from ringfence.lab.lab import Lab
from ringfence.lab.probe import Observation
from ringfence.lab.proof import Proof
from ringfence.model.address import Family
from ringfence.model.flow import Flow, Query
from ringfence.model.world import World
from ringfence.policy.evaluate import evaluate
from ringfence.worldfile import read
from tests.lab.worlds import nft
from tests.test_examples import EXAMPLES

BOTH = ("", " over ipv6")
TABLE: dict[str, dict[str, Cause]] = {
    "rules-that-do-not-work": {
        "client -> wrong-way tcp/8080": Cause.DIRECTION,
        "client -> wrong-protocol tcp/8080": Cause.PROTOCOL,
        "client -> wrong-port tcp/8080": Cause.PORT,
        "client -> client-far tcp/22": Cause.NO_ROUTE,
    },
    "rules-that-come-near": {
        "web-1 -> db tcp/3306": Cause.SOURCE,
        "web-1 -> db tcp/5432": Cause.SOURCE,
        "web-1 -> off-1 tcp/22": Cause.DISABLED,
        "laptop -> late tcp/443": Cause.PRIORITY,
        "laptop -> two.eth1 tcp/8443": Cause.MEMBERSHIP,
        "web-1 -> fixed tcp/9090": Cause.DENY_RULE,
        "web-1 -> two.eth1 udp/53": Cause.NO_RULE,
    },
    "carrier-ports": {"laptop -> files tcp/445": Cause.BLOCKED_PORT, "laptop -> files udp/1434": Cause.BLOCKED_PORT},
    "port-25": {"ecs-1 -> mail-server tcp/25": Cause.BLOCKED_PORT},
    "acl-over-groups": {"laptop -> web-1 tcp/80": Cause.ACL},
    "acl-stateless": {"laptop -> web-mute tcp/80": Cause.ACL},  # it arrives, and its answer does not come back
    "vpc-firewall": {"shop -> trial tcp/22": Cause.FIREWALL},
    "classic-network": {"neighbour -> web-1.eth0 tcp/443": Cause.INTERFACE},
    "penalty": {"laptop -> shop tcp/443": Cause.PENALTY},
}
"""The first cause of flows over both families, by example."""
OF_ONE_FAMILY: dict[str, dict[str, Cause]] = {
    "rules-that-come-near": {
        "laptop -> v4 tcp/80 over ipv6": Cause.FAMILY,
        "laptop -> v6 tcp/80": Cause.FAMILY,
    },
    "internet-border": {"in-office -> web tcp/22 over ipv6": Cause.FIREWALL, "web -> stranger udp/53": Cause.FIREWALL},
}
INSIDE = {
    "tcp/443": Cause.NOT_LISTENING,
    "tcp/8080": Cause.LOOPBACK_ONLY,
    "tcp/80": Cause.GUEST_FIREWALL,
}
"""Of `inside-the-guest`, with a firewall in the guest that drops tcp/80."""
NOBODY = {Family.IPV4: "10.51.1.99", Family.IPV6: "fd00:51:0:1::99"}
"""Addresses of `rules-that-do-not-work` that lie in its VPC, and that nobody has."""


@cache
def world_of(example: str) -> World:
    return read(EXAMPLES / f"{example}.yaml")


def asked(example: str) -> dict[str, Cause]:
    over_both = {f"{text}{over}": cause for text, cause in TABLE.get(example, {}).items() for over in BOTH}
    return over_both | OF_ONE_FAMILY.get(example, {})


EVERY = sorted({*TABLE, *OF_ONE_FAMILY})
ROWS = [(example, text, cause) for example in EVERY for text, cause in asked(example).items()]


@pytest.mark.parametrize(("example", "text", "cause"), ROWS, ids=[f"{example}: {text}" for example, text, _ in ROWS])
def test_the_cause_is_named_first(example: str, text: str, cause: Cause) -> None:
    world = world_of(example)
    flow = world.flow(Query.parse(text))
    found = diagnose(world, flow)
    assert (found.works, found.cause) == (False, cause)
    brief = Brief.of(world, flow)
    end = explain(found.as_json() | brief.as_json()).partition("The path:")[2]
    if best := brief.found.smallest:
        assert evaluate(best.after, flow).allowed
        assert all(f"  {edit}\n" in end for edit in best.edits)
        assert all(f"    $ {each}" in end for each in best.commands)
    else:
        assert cause in (Cause.BLOCKED_PORT, Cause.NO_ROUTE)  # there, the VPCs share their addresses
        assert "No edit mends it: " in end


def test_every_cause_but_that_of_others_is_in_a_table() -> None:
    shown = {cause for _, _, cause in ROWS} | {*INSIDE.values(), Cause.NO_SUCH_ADDRESS}
    assert {*Cause} - shown == {Cause.ANOTHER_ACCOUNT}


@pytest.mark.packets
@pytest.mark.parametrize("example", EVERY)
def test_packets_say_the_same(example: str, lab_name: str) -> None:
    world = world_of(example)
    flows = [world.flow(Query.parse(text)) for text in asked(example)]
    with Lab.up(world, lab_name) as lab:
        proofs = [Proof(diagnose(world, flow), seen) for flow, seen in zip(flows, lab.converse(flows), strict=True)]
    for proof in proofs:
        assert proof.agrees is True, f"{proof.diagnosis.verdict}\n{proof.seen}: {proof.remark}"
        assert not (proof.seen.arrived and proof.seen.answered)


@pytest.fixture(scope="module")
def guests(lab_names: Callable[[], str]) -> Iterator[Lab]:
    """A lab in which the guest of ``web`` drops what comes to port 80."""
    with Lab.up(world_of("inside-the-guest"), lab_names()) as lab:
        rules = "type filter hook input priority 0;\ntcp dport 80 drop"
        nft(lab.namespace("web"), f"table inet own {{\nchain input {{\n{rules}\n}}\n}}\n")
        yield lab


@pytest.mark.packets
@pytest.mark.parametrize("over", BOTH)
@pytest.mark.parametrize("service", INSIDE)
def test_what_is_wrong_in_a_guest_is_a_cause(guests: Lab, service: str, over: str) -> None:
    flow = guests.world.flow(Query.parse(f"laptop -> web {service}{over}"))
    seen, found = probed(guests, flow)
    assert (found.verdict.allowed, found.works, found.cause) == (True, False, INSIDE[service])
    assert seen.arrived
    assert not is_reached(guests, "laptop", flow)


@pytest.mark.packets
def test_what_works_is_said_to_work(guests: Lab) -> None:
    """Once the guest's firewall is gone, the same flow has no cause, and a connection is made."""
    flow = guests.world.flow(Query.parse("laptop -> web tcp/80"))
    with without_firewall(guests):
        seen, found = probed(guests, flow)
        assert (found.works, found.cause, seen.answered) == (True, None, True)
        assert is_reached(guests, "laptop", flow)


@pytest.mark.packets
@pytest.mark.parametrize("family", list(Family), ids=str)
def test_an_address_that_nobody_has_is_a_cause(family: Family, lab_name: str) -> None:
    world = world_of("rules-that-do-not-work")
    flow = world.flow(Query("client", NOBODY[family], Query.parse("a -> b tcp/22").service, family))
    assert diagnose(world, flow).cause is Cause.NO_SUCH_ADDRESS
    with Lab.up(world, lab_name) as lab:
        assert not is_reached(lab, "client", flow)


def probed(lab: Lab, flow: Flow) -> tuple[Observation, Diagnosis]:
    seen, found = look_and_probe(lab, flow)
    return seen, diagnose(lab.world, flow, found)


@contextmanager
def without_firewall(lab: Lab) -> Iterator[None]:
    nft(lab.namespace("web"), "add table inet own { flags dormant; }\n")
    yield
    nft(lab.namespace("web"), "add table inet own\n")


def is_reached(lab: Lab, source: str, flow: Flow) -> bool:
    """Whether a real connection from an instance or host is made, by the kernel's own TCP."""
    kind = socket.AF_INET if flow.family is Family.IPV4 else socket.AF_INET6
    with inside(lab.namespace(source)):
        client = socket.socket(kind, socket.SOCK_STREAM)
    with client:
        client.settimeout(0.3)
        try:
            client.connect((str(flow.destination.address), flow.service.port))
        except OSError:
            return False
        return True
