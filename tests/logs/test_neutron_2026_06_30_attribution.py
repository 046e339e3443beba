"""neutron 2026-06-30: what one tenant's rule denied stood in the log of another, who had the same addresses.

Here two VPCs with the same addresses drop packets with the same headers, and each record names the VPC, the port and
the rule that did it, at the gate which was the one to say no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ringfence.lab.lab import Lab
from ringfence.model.acl import AclRule
from ringfence.model.address import Family
from ringfence.model.packet import ACK, RST
from ringfence.model.rule import Rule
from tests.logs.recording import told
from tests.logs.worlds import address, world
from tests.peers import frames
from tests.peers.wire import close_senders, nic, send_packets

pytestmark = pytest.mark.packets
NO_40000 = AclRule.parse("out deny tcp 40000-40009 from any to any").id_in("edge")
NO_DNS = Rule.parse("out deny udp 53 to any").id_in("sg-web")


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(), lab_names()) as made:
        yield made
        close_senders()


@pytest.mark.parametrize("family", Family)
def test_each_drop_stands_with_the_tenant_and_the_port_that_dropped_it(lab: Lab, family: Family) -> None:
    one, two = (address(lab.world, name, family) for name in ("web-1", "web-2"))
    assert (one, two) == tuple(address(lab.world, name, family) for name in ("twin-1", "twin-2"))
    far, near = address(lab.world, "laptop", family), address(lab.world, "ops-1", family)
    ssh = frames.udp(one, near, 22, 22, b"")
    question = frames.udp(one, far, 53, 53, b"")
    with told(lab) as heard:
        send_packets(nic(lab, "twin-1"), frames.udp(one, two, 53, 53, b""), question)  # the second one is allowed
        send_packets(nic(lab, "web-1"), frames.udp(one, two, 53, 53, b""), question, ssh)
        send_packets(nic(lab, "twin-1"), ssh)
        records = heard.records(4)
    told_of = [(it.vpc, it.stage, it.port, it.group, it.rule_id, it.packet.destination) for it in records]
    assert sorted(told_of, key=str) == sorted(
        [
            ("twin", "ingress", "twin-2.eth0", "", "default-ingress", two),
            ("shop", "egress", "web-1.eth0", "sg-web", NO_DNS, far),
            ("ops", "ingress", "ops-1.eth0", "", "default-ingress", near),
            ("twin", "route", "twin-1.eth0", "", "no-route", near),
        ],
        key=str,
    )


@pytest.mark.parametrize("family", Family)
def test_an_answer_is_told_at_the_acl_that_dropped_it(lab: Lab, family: Family) -> None:
    """An ACL without state judges answers too; the groups, which would deny such a new connection, are not asked."""
    web, db = (address(lab.world, name, family) for name in ("web-1", "db-1"))
    with told(lab) as heard:
        send_packets(nic(lab, "web-1"), frames.tcp(web, db, (40005, 3306), frames.SYN, b"", (7, 0)))
        (record,) = heard.records(1)  # nobody listens there: the answer is a reset
    assert (record.packet.source, record.packet.port, record.packet.tcp_flags) == (db, 40005, RST | ACK)
    assert (record.stage, record.place, record.port, record.direction, record.group, record.rule_id) == (
        "acl-egress",
        "shop/db",
        "db-1.eth0",
        "out",
        "edge",
        NO_40000,
    )
