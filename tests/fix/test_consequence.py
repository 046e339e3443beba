"""What a fix announces is what it does: flows opened and closed, flow by flow; live connections; the house's policy."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import permutations

import pytest

from ringfence.analysis.fix.edits import AddRule
from ringfence.analysis.fix.fixes import Fix, fixes
from ringfence.model.flow import EPHEMERAL, Flow, Query
from ringfence.model.rule import AnyRemote, GroupRemote
from ringfence.model.service import Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Verdict
from ringfence.worldfile.parse import parse
from tests.analysis.test_reach import everybody
from tests.analysis.test_reach import flows as some_flows
from tests.fix.cases import ALLOWED, CASES, MYSQL, OUT, Case, two_tiers, two_vpcs
from tests.fix.test_smallest import broken

SERVICES = (
    *(f"{name}/{port}" for name in ("tcp", "udp") for port in (1, 22, 53, 80, 443, 3305, 3306, 3307, 33000, 65535)),
    *("icmp", "gre", "132"),
)


def asked(text: str, question: str) -> tuple[World, Flow]:
    world = parse(text, "world.yaml")
    source, destination, service = question.split()
    return world, world.flow(Query.parse(f"{source} -> {destination} {service}"))


def every_flow(world: World) -> Iterator[Flow]:
    """Each service between each two addresses, from a port of programs and from one of servers."""
    for source, destination in permutations(everybody(world), 2):
        if source.address.family is destination.address.family and (source.vpc or destination.vpc):
            for service in map(Service.parse, SERVICES):
                if source.address.family in service.protocol.families:
                    for port in (EPHEMERAL.first, 3306) if service.port else (None,):
                        yield Flow(source, destination, service, port)


def check(world: World, fix: Fix, flows: Iterator[Flow]) -> int:
    """How many of some flows turn; each of them is announced, and no other."""
    before, after, turned = Policy(world), Policy(fix.after), 0
    difference = fix.consequence.difference
    for flow in flows:
        was, now = before.evaluate(flow), after.evaluate(flow)
        if stays(was) or stays(now) or not (flow.source.address.is_unicast and flow.destination.address.is_unicast):
            continue
        told = difference.of(flow)
        assert (told is not None) == (was.allowed != now.allowed), f"{fix}: {flow}: {was} and {now}: {told}"
        assert told is None or told.allowed is now.allowed
        turned += told is not None
    return turned


def stays(verdict: Verdict) -> bool:
    return verdict.decided_by.stage is Stage.LOCAL


@pytest.mark.parametrize("case", [case for case in CASES if case.fix], ids=lambda case: case.name)
def test_a_fix_opens_and_closes_the_flows_that_it_announces_and_no_others(case: Case) -> None:
    world, flow = asked(case.world, case.question)
    for fix in fixes(world, flow).all[-1:]:
        assert check(world, fix, every_flow(world)) > 0


@pytest.mark.parametrize("seed", range(2))
def test_so_in_random_worlds(seed: int) -> None:
    world, flows = broken(seed)
    for flow in flows[:3]:
        for fix in fixes(world, flow, effort=0).all[-1:]:
            check(world, fix, iter(random.Random(seed).sample(list(some_flows(world, random.Random(seed), 1)), 150)))
            told = fix.consequence.difference.of(flow)
            assert flow.source_port is None or (told is not None and told.allowed)


@pytest.mark.parametrize("seed", range(3))
def test_the_best_is_first_and_no_other_opens_less_for_nothing(seed: int) -> None:
    world, flows = broken(seed)
    for flow in flows[:2]:
        found = fixes(world, flow, effort=6)
        assert found.weighed == min(6, len(found.all))
        weights = [fix.consequence.weight for fix in found.all[: found.weighed]]
        assert weights == sorted(weights)


POLICIES = (
    ("a group on an intranet", two_tiers(OUT), MYSQL, "in allow tcp 3306 from group sg-web priority 100"),
    ("a host from outside", two_tiers(), "laptop web-1 tcp/22", "in allow tcp 22 from 203.0.113.9/32 priority 100"),
    (
        "no group across VPCs where clouds have no such reference",
        two_vpcs(rest="profile: huawei\nswitches: {peer_references: false}\npeerings: [[one, two]]"),
        "a-1 b-1 tcp/22",
        "in allow tcp 22 from 10.1.1.11/32 priority 100",
    ),
)


@pytest.mark.parametrize(("name", "text", "question", "rule"), POLICIES, ids=[name for name, *_ in POLICIES])
def test_whom_a_new_rule_names(name: str, text: str, question: str, rule: str) -> None:
    world, flow = asked(text, question)
    best = fixes(world, flow).all[0].edits
    assert [str(it.rule) for it in best if isinstance(it, AddRule)] == [rule], name


@pytest.mark.parametrize("seed", range(3))
def test_no_new_rule_is_about_any_source_nor_about_an_address_where_a_group_will_do(seed: int) -> None:
    world, flows = broken(seed)
    for flow in flows:
        added: dict[object, set[type]] = {}
        for fix in fixes(world, flow, effort=0).all:
            for edit in fix.edits if len(fix.edits) == 1 else ():
                if isinstance(edit, AddRule):
                    added.setdefault((edit.group, edit.rule.direction), set()).add(type(edit.rule.remote))
        for kinds in added.values():
            assert AnyRemote not in kinds
            assert kinds == {GroupRemote} or GroupRemote not in kinds


HIDDEN = "in allow tcp 22 from any priority 50, in deny tcp 22 from any priority 9"
EXPOSED = (
    ("a disabled rule from anywhere, a risky port", "in allow tcp 22 from any disabled", "laptop web-1 tcp/22"),
    ("the same for any port", "in allow tcp 80 from any disabled", "laptop web-1 tcp/80"),
    ("a rule that hides one from anywhere", HIDDEN, "laptop web-1 tcp/22"),
)


@pytest.mark.parametrize(("name", "rules", "question"), EXPOSED, ids=[name for name, *_ in EXPOSED])
def test_nobody_else_is_let_in_to_answer_for_one_host(name: str, rules: str, question: str) -> None:
    world, flow = asked(two_tiers(rules), question)
    found = fixes(world, flow)
    phone = asked(two_tiers(rules), question.replace("laptop", "phone"))[1]
    assert found.all, name
    assert not any(Policy(fix.after).evaluate(phone).allowed for fix in found.all)


CUTS: tuple[tuple[str, list[str]], ...] = (
    ("huawei", ["sg-web (2 addresses) -> db-1.eth0: tcp 3307 (group sg-db has a new rule:"]),
    ("alibaba", []),
)


@pytest.mark.parametrize(("profile", "cuts"), CUTS)
def test_which_live_connections_a_fix_cuts(profile: str, cuts: list[str]) -> None:
    world, flow = asked(two_tiers(OUT, ALLOWED.replace("3306", "3307"), profile=profile), MYSQL)
    told = [str(each) for each in fixes(world, flow).all[0].consequence.difference.endings]
    assert [line.startswith(cut) for line, cut in zip(told, cuts, strict=True)] == [True] * len(cuts), told
