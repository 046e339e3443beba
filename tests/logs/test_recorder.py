"""Drop records of a lab, by real packets: which stage, which port, which rule, or which other reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from ringfence.backends.nftables.driver import Driver
from ringfence.backends.nftables.droplog import DropLog
from ringfence.errors import CannotRun
from ringfence.lab.drops import ensure_recorder, is_recorded
from ringfence.lab.lab import Lab
from ringfence.lab.netns import end_inhabitants
from ringfence.lab.tally import tally_of
from ringfence.model.address import Address, Family
from ringfence.model.rule import Rule
from ringfence.model.topology import Penalty
from ringfence.policy.platform import penalty_id
from tests.lab.worlds import SHOP, flow, remains, world
from tests.logs.recording import told
from tests.peers import frames
from tests.peers.wire import address, close_senders, nic, send_packets

pytestmark = pytest.mark.packets
NO_SSH = Rule.parse("in deny tcp 22 from any priority 1").id_in("sg-web")
NO_NTP = Rule.parse("out deny udp 123 to any priority 1").id_in("sg-web")
TEXT = SHOP.replace(
    "sg-web:\n    rules:", "sg-web:\n    rules:\n      - in deny tcp 22 from any\n      - out deny udp 123 to any"
)


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(TEXT), lab_names()) as made:
        yield made
        close_senders()


@pytest.mark.parametrize("family", Family)
def test_a_record_names_stage_place_group_and_rule(lab: Lab, family: Family) -> None:
    """As `evaluate` does: the rule that denied, or the default, at the gate where it was."""
    table = {
        "laptop -> web-1 tcp/22": ("ingress", "web-1.eth0", "in", "sg-web", NO_SSH),
        "web-1 -> db-1 udp/123": ("egress", "web-1.eth0", "out", "sg-web", NO_NTP),
        "web-1 -> db-1 tcp/22": ("ingress", "db-1.eth0", "in", "", "default-ingress"),
        "laptop -> db-1 gre": ("ingress", "db-1.eth0", "in", "", "default-ingress"),
        "laptop -> db-1 icmp": ("ingress", "db-1.eth0", "in", "", "default-ingress"),
        "db-1 -> laptop tcp/25": ("platform", "db-1.eth0", "out", "", "platform-blocked-egress"),
    }
    flows = [flow(lab.world, text, family) for text in table]
    with told(lab) as heard:
        assert not any(seen.arrived for seen in lab.probe(flows))
        records = heard.records(len(table))
    found = {(it.packet.source, it.packet.destination, str(it.packet.service)): it for it in records}
    for asked, expected in zip(flows, table.values(), strict=True):
        record = found[asked.source.address, asked.destination.address, str(asked.service)]
        assert (record.stage, record.port, record.direction, record.group, record.rule_id) == expected
        assert (record.reason, record.vpc, record.place) == ("policy", "shop", record.port)
    assert len(records) == len(table)


@pytest.mark.parametrize("family", Family)
def test_a_drop_without_a_rule_says_which_reason_it_had(lab: Lab, family: Family) -> None:
    web, db, other = (address(lab, name, family) for name in ("web-1", "db-1", "web-2"))
    known = frames.udp(web, db, 4321, 53, b"")
    with told(lab) as heard:
        send_packets(
            nic(lab, "web-1"),
            known,  # allowed: the error below is about it
            frames.tcp(web, db, (40000, 3306), frames.ACK, b"", (7, 7)),
            frames.tcp(other, db, (40000, 3306), frames.SYN, b"", (7, 0)),
        )
        send_packets(nic(lab, "web-2"), unreachable(other, web, known))
        records = heard.records(3)
    assert {(str(it.reason), it.packet.source, it.port, it.direction, it.stage, it.rule_id) for it in records} == {
        ("no-connection", web, "web-1.eth0", "out", "", ""),
        ("not-own-address", other, "web-1.eth0", "out", "", ""),
        ("foreign-error", other, "web-2.eth0", "out", "", ""),
    }


@pytest.mark.parametrize("family", Family)
def test_what_guests_say_to_their_link_is_not_told(lab: Lab, family: Family) -> None:
    """Listener reports, multicast and the like are dropped, and nobody's affair; the record after them comes."""
    card, sender = nic(lab, "web-1"), address(lab, "web-1", family)
    group = Address.parse("224.0.0.22" if family is Family.IPV4 else "ff02::16")
    noise = [frames.udp(sender, group, 5353, 5353, b"")]
    if family is Family.IPV6:
        noise += [frames.icmpv6(card.link_local, group, 143, bytes(4), 1)]
    with told(lab) as heard:
        send_packets(card, *noise, frames.udp(sender, address(lab, "db-1", family), 9, 9, b""))
        (record,) = heard.records(1)
    assert (record.packet.port, record.rule_id) == (9, "default-ingress")


def test_a_packet_to_the_router_itself_is_told(lab: Lab) -> None:
    with told(lab) as heard:
        send_packets(nic(lab, "web-1"), frames.udp(address(lab, "web-1", Family.IPV4), GATEWAY, 9, 9, b""))
        (record,) = heard.records(1)
    assert (record.stage, record.rule_id, record.port, record.direction) == (
        "route",
        "no-such-address",
        "web-1.eth0",
        "out",
    )


def test_the_record_follows_the_policy(lab_name: str) -> None:
    """Each record names the rule of the policy that dropped it, also right after a switch; hits outlive switches."""
    asked = "laptop -> web-1 tcp/22"
    with Lab.up(world(), lab_name) as lab, told(lab) as heard:
        for text, rule_id in ((SHOP, "default-ingress"), (TEXT, NO_SSH), (SHOP, "default-ingress"), (TEXT, NO_SSH)):
            lab.enforce(world(text))
            assert not lab.probe([flow(lab.world, asked)])[0].arrived
            (record,) = heard.records(1)
            assert record.rule_id == rule_id
        counted = lab.driver("shop").counters()
        assert (counted[NO_SSH].packets, counted["default-ingress"].packets) == (2, 2)
        with closing(Driver(lab.names.vpc("shop"), lab.names.table, tally_of(lab.names, "shop"))) as another:
            assert another.counters() == counted


def test_a_held_connection_is_told_as_held(lab_name: str) -> None:
    with Lab.up(world(), lab_name) as lab, told(lab) as heard:
        web, laptop = (address(lab, name, Family.IPV4) for name in ("web-1", "laptop"))
        first = frames.udp(laptop, web, 4321, 80, b"")
        allowing = SHOP.replace("in allow tcp 80 from any", "in allow udp 80 from any")
        lab.enforce(world(allowing))
        send_packets(nic(lab, "laptop"), first)
        lab.enforce(world(allowing.replace("in allow icmp from any", "in allow gre from any")))
        send_packets(nic(lab, "laptop"), first)
        (record,) = heard.records(1)
        close_senders()
    assert (record.reason, record.rule_id, record.packet.port) == ("held", "", 80)


def test_what_a_penalty_drops_of_a_known_connection_is_told_both_ways(lab_name: str) -> None:
    with Lab.up(world(), lab_name) as lab, told(lab) as heard:
        web, db = (address(lab, name, Family.IPV4) for name in ("web-1", "db-1"))
        there, back = frames.udp(web, db, 4321, 53, b""), frames.udp(db, web, 53, 4321, b"")
        send_packets(nic(lab, "web-1"), there)
        lab.enforce(world(SHOP.replace("outside:", 'blocks: {db-1: "sends spam"}\noutside:')))
        send_packets(nic(lab, "web-1"), there)
        send_packets(nic(lab, "db-1"), back)
        records = heard.records(2)
        close_senders()
    rule_id = penalty_id(Penalty("db-1", ""))
    assert [(it.stage, it.port, it.direction, it.rule_id, it.text) for it in records] == [
        ("platform", "db-1.eth0", direction, rule_id, "db-1 is cut off by a penalty: sends spam")
        for direction in ("in", "out")
    ]


def test_there_is_one_recorder_as_long_as_the_lab_is_up(lab_name: str) -> None:
    with Lab.up(world(), lab_name) as lab:
        names = lab.names
        assert not is_recorded(names)
        assert ensure_recorder(names)
        assert not ensure_recorder(names)
        end_inhabitants([names.internet], "ringfence.lab.recorder")
        assert not is_recorded(names)
        assert ensure_recorder(names)
        assert is_recorded(names)
    assert not is_recorded(names)
    assert remains(lab_name) == []


def test_a_recorder_that_cannot_record_says_why(lab_name: str) -> None:
    said = "the drops of lab .* are not recorded: .* another program reads it"
    with (
        Lab.up(world(), lab_name) as lab,
        closing(DropLog(lab.names.vpc("shop"))),
        pytest.raises(CannotRun, match=said),
    ):
        ensure_recorder(lab.names)


GATEWAY = Address.parse("10.0.1.1")


def unreachable(sender: Address, target: Address, about: bytes) -> bytes:
    """The error that nobody listens on a port, about a packet."""
    if sender.family is Family.IPV6:
        return frames.icmpv6(sender, target, 1, bytes(4) + about, 64)
    return frames.ip(sender, target, 1, frames.icmp(3, 3, bytes(4) + about))
