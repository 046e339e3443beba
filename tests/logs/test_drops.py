"""Drop records: the rule is named exactly as `evaluate` names it, for the VPC and the port where it was dropped."""

from __future__ import annotations

import json
from itertools import permutations, product

import pytest

from ringfence.analysis.records.drops import Dropped, DropRecord, Reason, judge, unexplained
from ringfence.model.acl import AclRule
from ringfence.model.address import Family
from ringfence.model.flow import Endpoint
from ringfence.model.packet import SYN, Tracking
from ringfence.model.rule import Action, Rule
from ringfence.model.service import GRE, ICMP, ICMPV6, TCP
from ringfence.model.topology import Penalty, Port
from ringfence.policy.evaluate import Policy
from ringfence.policy.platform import BLOCKED_EGRESS, penalty_id
from tests.logs.worlds import packet, port, world

WORLD = world()
POLICY = Policy(WORLD)
NO_DNS = Rule.parse("out deny udp 53 to any").id_in("sg-web")
NO_8080 = AclRule.parse("in deny tcp 8080 from any to any").id_in("edge")
NO_40000 = AclRule.parse("out deny tcp 40000-40009 from any to any").id_in("edge")
SPAM = penalty_id(Penalty("bad-1", "sends spam"))


def end(name: str) -> Port | str:
    return port(WORLD, name) if name in WORLD.instances else name


def dropped(
    vpc: str, text: str, family: Family, tracking: Tracking, way: str, protocol: int = TCP, flags: int = SYN
) -> Dropped:
    """``way`` is such as ``outside > web-1``: the links by which it came and would have left."""
    incoming, outgoing = (end(name.strip()) for name in f"{way} ".split(" > "))
    return Dropped(7.5, vpc, packet(WORLD, text, family, protocol, flags), tracking, incoming, outgoing)


def told(record: DropRecord | None) -> tuple[str, ...]:
    assert record
    return (str(record.reason), record.stage, record.place, record.port, record.direction, record.group, record.rule_id)


_TABLE = """
# VPC | packet                   | protocol, state | by which links     | stage place port direction group rule
shop | laptop:4 -> web-1:22      | 6 new           | outside > web-1    | ingress web-1 web-1 in - default-ingress
shop | web-1:4 -> db-1:22        | 6 new           | web-1 > db-1       | ingress db-1 db-1 in - default-ingress
twin | twin-1:4 -> twin-2:22     | 6 new           | twin-1 > twin-2    | ingress twin-2 twin-2 in - default-ingress
shop | web-1:4 -> laptop:53      | 17 new          | web-1 > outside    | egress web-1 web-1 out sg-web NO_DNS
shop | web-1:4 -> laptop:25      | 6 new           | web-1 > outside    | platform web-1 web-1 out - BLOCKED
shop | laptop:4 -> db-1:8080     | 6 new           | outside > db-1     | acl-ingress shop/db db-1 in edge NO_8080
shop | db-1:4 -> web-1:40001     | 6 new           | db-1 > web-1       | acl-egress shop/db db-1 out edge NO_40000
shop | laptop:4 -> 10.0.1.99:80  | 6 new           | outside > rf-void  | route - - - - no-such-address
shop | web-1:4 -> 10.0.1.99:80   | 6 new           | web-1 > rf-void    | route - web-1 out - no-such-address
shop | laptop:4 -> vip:22        | 6 new           | outside > web-1    | ingress web-1 web-1 in - default-ingress
ops  | web-1:4 -> ops-1:23       | 6 new           | peer shop > ops-1  | ingress ops-1 ops-1 in - default-ingress
ops  | laptop -> ops-1           | 47 new          | outside > ops-1    | ingress ops-1 ops-1 in - default-ingress
# Another VPC's gate let it pass, under the policy before: it was not that one that dropped it here.
ops  | web-1:4 -> ops-1:53       | 17 new          | peer shop > ops-1  | ingress ops-1 ops-1 in - default-ingress
# A penalty comes before everything, for packets of known connections too.
ops  | ops-1:4 -> bad-1:22       | 6 new           | ops-1 > bad-1      | platform bad-1 bad-1 in - SPAM
ops  | laptop:4 -> bad-1:22      | 6 established   | outside > bad-1    | platform bad-1 bad-1 in - SPAM
ops  | bad-1:22 -> laptop:4      | 6 reply         | bad-1 > outside    | platform bad-1 bad-1 out - SPAM
ops  | laptop:4 -> bad-1:22      | 6 invalid       | outside > bad-1    | platform bad-1 bad-1 in - SPAM
# What answers is judged by stateless ACLs alone, whatever the groups say of a new connection of that kind.
shop | db-1:3306 -> web-1:40005  | 6 reply         | db-1 > web-1       | acl-egress shop/db db-1 out edge NO_40000
shop | laptop:4 -> db-1:8080     | 6 established   | outside > db-1     | acl-ingress shop/db db-1 in edge NO_8080
# A first packet that belongs to another connection (FTP data) is judged as any other.
shop | laptop:20 -> web-1:22     | 6 related       | outside > web-1    | ingress web-1 web-1 in - default-ingress
"""
_REASONS = """
# VPC | packet                   | protocol, state | by which links     | reason, port direction
shop | laptop:4 -> web-1:80      | 6 invalid       | outside > web-1    | no-connection web-1 in
shop | web-1 -> laptop           | 1 invalid       | web-1 > outside    | no-connection web-1 out
shop | web-2 -> laptop           | 1 related       | web-2 > outside    | foreign-error web-2 out
shop | laptop:4 -> web-1:80      | 6 held          | outside > web-1    | held web-1 in
shop | web-1:4 -> laptop:80      | 6 unseen        | web-2 >            | not-own-address web-2 out
shop | web-1:4 -> web-2:80       | 6 unseen        | outside >          | not-own-address - -
shop | laptop:4 -> web-2:80      | 6 unseen        | peer ops >         | not-own-address - -
shop | web-1:4 -> web-2:80       | 6 unseen        | rfabc >            | unknown-link - -
"""
_NAMES = {"NO_DNS": NO_DNS, "NO_8080": NO_8080, "NO_40000": NO_40000, "SPAM": SPAM, "BLOCKED": BLOCKED_EGRESS}


def rows(table: str) -> list[list[str]]:
    lines = (line for line in table.strip().splitlines() if not line.startswith("#"))
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def read(cells: list[str], family: Family) -> Dropped:
    vpc, text, what, way, _ = cells
    number, tracking = what.split()
    protocol = ICMPV6 if int(number) == ICMP and family is Family.IPV6 else int(number)
    return dropped(vpc, text, family, Tracking(tracking), way, protocol)


def words(cell: str) -> tuple[str, ...]:
    """A name of an instance stands for its port, ``-`` for nothing."""
    found = ("" if word == "-" else _NAMES.get(word, word) for word in cell.split())
    return tuple(f"{word}.eth0" if word in WORLD.instances else word for word in found)


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("cells", rows(_TABLE), ids=" ".join)
def test_the_record_names_what_evaluate_names(cells: list[str], family: Family) -> None:
    assert told(judge(POLICY, read(cells, family))) == ("policy", *words(cells[-1]))


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("cells", rows(_REASONS), ids=" ".join)
def test_a_drop_for_another_reason_invents_no_rule(cells: list[str], family: Family) -> None:
    reason, *where = words(cells[-1])
    assert told(judge(POLICY, read(cells, family))) == (reason, "", "", *where, "", "")


@pytest.mark.parametrize(
    ("text", "protocol", "tracking", "way"),
    [
        ("laptop:4 -> web-1:80", TCP, Tracking.NEW, "outside > web-1"),
        ("laptop:4 -> vip:80", TCP, Tracking.NEW, "outside > web-1"),
        ("web-1:80 -> laptop:4", TCP, Tracking.REPLY, "web-1 > outside"),
        ("vip:4 -> laptop:80", TCP, Tracking.UNSEEN, "web-2 > "),  # web-2 may have it
        ("laptop -> web-1", ICMPV6, Tracking.NEW, "outside > web-1"),  # over IPv4: no flow is like it
    ],
)
def test_what_the_policy_lets_pass_is_not_explained_by_it(
    text: str, protocol: int, tracking: Tracking, way: str
) -> None:
    seen = dropped("shop", text, Family.IPV4, tracking, way, protocol)
    assert judge(POLICY, seen) is None
    assert told(unexplained(seen))[:3] == (str(Reason.UNEXPLAINED), "", "")


@pytest.mark.parametrize("family", Family)
def test_every_denied_flow_is_told_as_evaluate_tells_it(family: Family) -> None:
    names = ["web-1", "web-2", "db-1", "ops-1", "laptop"]
    count = 0
    for (one, two), number in product(permutations(names, 2), (22, 25, 53, 80, 3306, 8080, 40005)):
        text = f"{one}:50000 -> {two}:{number}"
        asked = packet(WORLD, text, family)
        near = next(port(WORLD, name).vpc for name in (one, two) if name != "laptop")
        verdict = POLICY.evaluate(asked.flow(*(WORLD.seen_from(near, it) for it in (asked.source, asked.destination))))
        step = next((it for it in verdict.steps if it.action is Action.DENY), None)
        vpc = step.port.vpc if step and step.port else near
        record = judge(POLICY, dropped(vpc, text, family, Tracking.NEW, "outside > outside"))
        assert (record is None) == (step is None)
        if record and step:
            count += 1
            named = (record.stage, record.place, record.group, record.rule_id, record.text)
            assert named == (step.stage, step.place, step.group, step.rule_id, step.text)
    assert count > 60


def test_the_same_header_in_two_vpcs_is_two_tenants_affair() -> None:
    """Both VPCs use the addresses; only the VPC that dropped it says whose it was (neutron 2026-06-30)."""
    text = "laptop:4 -> web-1:80"
    shop, twin = (
        judge(POLICY, dropped(vpc, text, Family.IPV4, Tracking.NEW, f"outside > {name}"))
        for vpc, name in (("shop", "web-1"), ("twin", "twin-1"))
    )
    assert shop is None  # its group allows tcp/80
    assert twin
    assert (twin.vpc, twin.port, twin.place) == ("twin", "twin-1.eth0", "twin-1.eth0")


@pytest.mark.parametrize(
    ("vpc", "name", "where"),
    [("shop", "web-1", "shop"), ("twin", "web-1", "twin"), ("ops", "db-1", "shop"), ("shop", "ops-1", "ops"),
     ("twin", "ops-1", "ops"), ("shop", "laptop", "")],
)  # fmt: skip
def test_an_address_lies_where_the_vpc_would_look_for_it(vpc: str, name: str, where: str) -> None:
    found = packet(WORLD, f"{name} -> laptop", protocol=GRE).source
    assert WORLD.seen_from(vpc, found) == Endpoint(found, where)


@pytest.mark.parametrize("cells", [*rows(_TABLE), *rows(_REASONS)], ids=" ".join)
def test_a_record_reads_back(cells: list[str]) -> None:
    record = judge(POLICY, read(cells, Family.IPV6))
    assert record
    assert DropRecord.from_json(json.loads(json.dumps(record.as_json()))) == record
    assert str(record.packet) in str(record)
