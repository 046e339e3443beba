"""Connection tracking as the profile wants it: what the kernel is told, and what a packet after the timeout meets."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest

from ringfence.backends.netns import inside
from ringfence.backends.tracking import tracking_sysctls
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.model.profile import ALIBABA, HUAWEI, MidStream, Timeouts
from tests.lab.worlds import world

WORLD = """
vpcs:
  v: {cidrs: [10.0.0.0/16, "fd00::/56"], subnets: {s: {cidr: 10.0.1.0/24, cidr6: "fd00::/64"}}}
  w: {cidrs: [10.9.0.0/16], subnets: {t: 10.9.1.0/24}, profile: alibaba}
groups: {asks: [out allow all to any], answers: [in allow all from any]}
instances:
  one: {subnet: s, ip: 10.0.1.5, ip6: "fd00::5", groups: asks}
  two: {subnet: s, ip: 10.0.1.6, ip6: "fd00::6", groups: answers}
"""
ENDS = {
    Family.IPV4: (socket.AF_INET, ("10.0.1.5", "10.0.1.6")),
    Family.IPV6: (socket.AF_INET6, ("fd00::5", "fd00::6")),
}
SHORT = "switches: {timeouts: 'one_way=1,both_ways=3'}\n" + WORLD


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(WORLD), lab_names()) as lab:
        yield lab


def told(lab: Lab, vpc: str) -> dict[str, int]:
    with inside(lab.names.vpc(vpc)):
        return {name: int(Path("/proc/sys", name).read_text()) for name in tracking_sysctls(HUAWEI)}


EXPECTED = {  # SEMANTICS.md 3.2, the column of the requirement
    600: ["tcp_timeout_established", "tcp_timeout_unacknowledged", "tcp_timeout_max_retrans"],
    30: [
        *(f"tcp_timeout_{state}" for state in ("syn_sent", "syn_recv", "fin_wait", "close_wait", "last_ack")),
        *("tcp_timeout_time_wait", "tcp_timeout_close", "icmp_timeout", "icmpv6_timeout", "udp_timeout", "gre_timeout"),
        *("sctp_timeout_closed", "sctp_timeout_cookie_wait", "sctp_timeout_heartbeat_sent"),
    ],
    180: [
        *("udp_timeout_stream", "gre_timeout_stream", "generic_timeout", "sctp_timeout_established"),
        *("sctp_timeout_cookie_echoed", "sctp_timeout_shutdown_sent", "sctp_timeout_shutdown_recd"),
        "sctp_timeout_shutdown_ack_sent",
    ],
    0: ["tcp_loose", "checksum"],
    1: ["acct"],
}


@pytest.mark.packets
def test_the_kernel_has_the_timeouts_of_the_profile(lab: Lab) -> None:
    huawei = {f"net/netfilter/nf_conntrack_{name}": value for value, names in EXPECTED.items() for name in names}
    assert told(lab, "v") == huawei
    assert {name: value for name, value in told(lab, "w").items() if value != huawei[name]} == {
        f"net/netfilter/nf_conntrack_{name}": 910 for name in EXPECTED[600]
    }


def test_every_timeout_of_a_profile_reaches_the_kernel() -> None:
    for field in fields(Timeouts):
        changed = replace(ALIBABA, timeouts=replace(Timeouts(), **{field.name: 77}))
        assert 77 in tracking_sysctls(changed).values(), field.name
    assert tracking_sysctls(replace(HUAWEI, mid_stream=MidStream.LOOSE))["net/netfilter/nf_conntrack_tcp_loose"] == 1


def heard_after(lab: Lab, family: Family, pauses: tuple[float, ...]) -> bool:
    """Whether the asker hears an answer after so many seconds, when the datagrams before it went to and fro as soon."""
    kind, addresses = ENDS[family]
    sockets = []
    for name, address in zip(("one", "two"), addresses, strict=True):
        with inside(lab.namespace(name)):
            sockets.append(socket.socket(kind, socket.SOCK_DGRAM))
        sockets[-1].bind((address, 0))
        sockets[-1].settimeout(0.5)
    with sockets[0] as asks, sockets[1] as answers:
        asks.sendto(b"?", answers.getsockname())
        for number, pause in enumerate(pauses):
            time.sleep(pause)
            answers.sendto(b"!", asks.getsockname())
            try:
                asks.recv(10)
            except TimeoutError:
                assert number == len(pauses) - 1
                return False
    return True


STREAM = (0.1, 0.7, 0.7, 0.7)
"""Packets to and fro for two seconds: only then does the kernel take UDP for a connection in both directions."""
ONE_WAY_1_BOTH_WAYS_3 = {(0.3,): True, (2.5,): False, (0.1, 2.5): False, (*STREAM, 2.0): True, (*STREAM, 5.0): False}


@pytest.mark.packets
def test_a_change_of_timeouts_is_enforced_and_packets_feel_it(lab: Lab) -> None:
    """``two`` may send nothing of its own accord: it is heard while the connection is remembered, and no longer."""
    asked = list(product([lab], Family, ONE_WAY_1_BOTH_WAYS_3))
    with ThreadPoolExecutor(2 * len(asked)) as pool:
        lab.enforce(world(SHORT))
        assert lab.enforce(world(SHORT)) == 0
        heard = [*pool.map(heard_after, *zip(*asked, strict=True))]
        assert heard == [ONE_WAY_1_BOTH_WAYS_3[pauses] for _, _, pauses in asked]
        lab.enforce(world(WORLD))
        assert all(heard_after(lab, family, (2.5,)) for family in Family)
