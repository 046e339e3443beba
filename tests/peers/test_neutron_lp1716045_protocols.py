"""neutron LP#1716045, opte#377: a rule for a protocol by number, for ICMP or for SCTP quietly matched something else.

Here a rule for a protocol means the packets that bear its number and no others, over both families; "all" means all of
them, and without a rule none passes. What bears a number but is too short for its protocol is never let through.
"""

from __future__ import annotations

import pytest

from ringfence.lab.lab import Lab
from ringfence.model.address import Address, Family
from ringfence.model.profile import HUAWEI
from tests.peers import frames
from tests.peers.asking import passing, with_groups
from tests.peers.wire import address, listening, nic, send_packets, token
from tests.policy.build import WORDS, build

pytestmark = pytest.mark.packets

OUT = "out allow all to any"
WORLD = build(HUAWEI, "a: ga; b: gb", {"ga": OUT, "gb": ""})

RULES = {
    "tcp": "tcp/80",
    "tcp 80": "tcp/80",
    "udp": "udp/80",
    "udp 80": "udp/80",
    "{icmp}": "{icmp}",
    "gre": "gre",
    "2": "2",  # IGMP
    "4": "4",  # IPv4 in it
    "33": "33",  # DCCP
    "41": "41",  # IPv6 in it
    "50": "50",  # ESP
    "51": "51",  # AH, over IPv4: over IPv6 it is a header, not a protocol
    "89": "89",  # OSPF
    "112": "112",  # VRRP
    "115": "115",  # L2TP
    "132": "132",  # SCTP
    "136": "136",  # UDP-Lite
    "253": "253",
    "255": "255",
}
"""What a rule says, and the flow that it means."""


def of(family: Family) -> dict[str, str]:
    """The rules and flows that there are over a family."""
    return {
        what.format_map(WORDS[family]): flow.format_map(WORDS[family])
        for what, flow in RULES.items()
        if family is Family.IPV4 or what != "51"
    }


def flows(family: Family) -> set[str]:
    return {f"a -> b {flow}" for flow in of(family).values()}


def over(family: Family, what: str) -> str:
    """A rule's protocol over a family; there is no AH of its own over IPv6, so ESP is asked once more."""
    written = what.format_map(WORDS[family])
    return written if written in of(family) else "50"


payloads = pytest.mark.parametrize("payload", [None, b"", b"x"], ids=["usual", "empty", "one byte"])


@payloads
@pytest.mark.parametrize("what", RULES)
def test_a_rule_means_its_protocol_and_no_other(lab: Lab, family: Family, what: str, payload: bytes | None) -> None:
    what = over(family, what)
    lab.enforce(with_groups(WORLD, {"gb": [f"in allow {what} from any"]}))
    assert passing(lab, family, flows(family), payload) == {f"a -> b {of(family)[what]}"}


@pytest.mark.parametrize("what", RULES)
def test_a_denial_means_its_protocol_and_no_other(lab: Lab, family: Family, what: str) -> None:
    what = over(family, what)
    rules = [f"in deny {what} from any", "in allow all from any priority 2"]
    lab.enforce(with_groups(WORLD, {"gb": rules}))
    assert passing(lab, family, flows(family)) == flows(family) - {f"a -> b {of(family)[what]}"}


@payloads
def test_all_means_all_and_nothing_means_none(lab: Lab, family: Family, payload: bytes | None) -> None:
    lab.enforce(with_groups(WORLD, {"gb": ["in allow all from any"]}))
    assert passing(lab, family, flows(family), payload) == flows(family)
    lab.enforce(WORLD)
    assert passing(lab, family, flows(family), payload) == set()
    everything = "0.0.0.0/0" if family is Family.IPV6 else "::/0"
    lab.enforce(with_groups(WORLD, {"gb": [f"in allow all from {everything}"]}))  # of the other family
    assert passing(lab, family, flows(family), payload) == set()


@pytest.mark.parametrize("direction", ["in", "out"])
def test_many_protocols_in_one_group(lab: Lab, family: Family, direction: str) -> None:
    """Enough rules for a map, on either side: it tells protocols with ports from those without."""
    numbers = [what for what in of(family) if what not in ("tcp", "udp", "253")]
    rules = [f"{direction} allow {what} {'from' if direction == 'in' else 'to'} any" for what in numbers]
    rest = ["in allow all from any"] if direction == "out" else []
    lab.enforce(
        with_groups(WORLD, {"gb": rules if direction == "in" else rest, "ga": rules if direction == "out" else [OUT]})
    )
    assert passing(lab, family, flows(family)) == flows(family) - {"a -> b 253"}
    assert passing(lab, family, ["a -> b tcp/81", "a -> b udp/81"]) == set()


TOO_SHORT = [(6, 19), (17, 7), (1, 7), (58, 7)]
"""Protocols, and the most bytes that are not yet a header."""


@pytest.mark.parametrize(("protocol", "most"), TOO_SHORT)
def test_what_is_too_short_for_its_protocol_never_passes(lab: Lab, family: Family, protocol: int, most: int) -> None:
    """It has no ports or type that a rule could be asked about; not even "all" means it."""
    lab.enforce(with_groups(WORLD, {"gb": ["in allow all from any"]}))
    if protocol in (1, 58):
        protocol = 1 if family is Family.IPV4 else 58
    a, b, ends = nic(lab, "a"), nic(lab, "b"), (address(lab, "a", family), address(lab, "b", family))
    with listening(b) as ear:
        send_packets(a, *(frames.ip(*ends, protocol, bytes(size)) for size in range(most + 1)))
        mark = token()
        send_packets(a, frames.ip(*ends, 253, mark))
        heard = [it[14:] for it in ear.heard() if frames.packed(ends[0]) + frames.packed(ends[1]) in it]
    assert len(heard) == 1
    assert heard[0].endswith(mark)


def test_the_other_familys_icmp_is_another_protocol(lab: Lab, family: Family) -> None:
    """ICMPv6 in an IPv4 packet, and the other way round, is not what a rule for ICMP means."""
    lab.enforce(with_groups(WORLD, {"gb": ["in allow icmp from any", "in allow icmpv6 from any"]}))
    ends = address(lab, "a", family), address(lab, "b", family)
    other, marks = 58 if family is Family.IPV4 else 1, (token(), token())
    with listening(nic(lab, "b")) as ear:
        send_packets(nic(lab, "a"), frames.ip(*ends, other, b"\x80\0\0\0\0\1\0\1" + marks[0]))
        assert not ear.hears(marks[0])
        send_packets(nic(lab, "a"), frames.echo(*ends, 9, marks[1]))
        assert ear.hears(marks[1])


def unreachable(sender: Address, target: Address, about: bytes) -> bytes:
    """The error that nobody listens on a port, about a packet."""
    if sender.family is Family.IPV6:
        return frames.icmpv6(sender, target, 1, bytes(4) + about, 64)
    return frames.ip(sender, target, 1, frames.icmp(3, 3, bytes(4) + about))


def test_an_error_about_a_connection_passes_and_one_about_nothing_does_not(lab: Lab, family: Family) -> None:
    """A takes nothing in, but an error about what it sent itself belongs to that (SEMANTICS.md 4.5)."""
    lab.enforce(with_groups(WORLD, {"gb": ["in allow udp 9 from any", OUT]}))
    a, b, (one, two) = nic(lab, "a"), nic(lab, "b"), (address(lab, "a", family), address(lab, "b", family))
    before, after = token(), token()
    with listening(a) as ear:
        send_packets(b, unreachable(two, one, frames.udp(one, two, 4321, 9, before)))
        assert not ear.hears(before)
        send_packets(a, frames.udp(one, two, 4321, 9, b""))
        send_packets(b, unreachable(two, one, frames.udp(one, two, 4322, 9, before)))
        send_packets(b, unreachable(two, one, frames.udp(one, two, 4321, 9, after)))
        assert ear.hears(after)
        assert not ear.hears(before)
