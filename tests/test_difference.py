"""What a change does to reachability: every announced flow changed, and every changed flow is announced."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.analysis.difference import Reached, reachability_changes
from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.service import TCP, UDP, Protocol, Service
from ringfence.model.world import World, by_name
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage
from ringfence.worldfile.parse import parse
from tests.edits import edits
from tests.full_worlds import full_worlds
from tests.worlds import random_flows, random_world

THREE_TIERS = """
vpcs: {shop: {cidrs: [10.0.0.0/16], subnets: {web: 10.0.1.0/24, db: 10.0.2.0/24}}}
groups:
  web:
    rules:
      - in allow tcp 80 from any
      - out allow all to any
  db:
    rules:
      - out allow all to any
  bastion:
    rules:
      - out allow all to any
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: [web]}
  web-2: {subnet: web, ip: 10.0.1.12, groups: [web]}
  db-1: {subnet: db, ip: 10.0.2.11, groups: [db]}
  bastion-1: {subnet: db, ip: 10.0.2.12, groups: [bastion]}
outside: {laptop: 203.0.113.9}
"""


def world(text: str = THREE_TIERS) -> World:
    return parse(text, "world.yaml")


CHANGES = [
    (
        "  db:\n    rules:\n",
        "  db:\n    rules:\n      - in allow tcp 3306 from group web\n",
        ["web (2 ports) -> db-1.eth0 tcp/3306: denied -> allowed (db sgr-"],
    ),
    (
        "      - in allow tcp 80 from any\n",
        "      - in allow tcp 80 from any\n      - in deny tcp 80-90 from 203.0.113.0/24\n",
        ["203.0.113.0/24 (outside) -> web (2 ports) tcp/80: allowed -> denied (web sgr-"],
    ),
    (
        "      - in allow tcp 80 from any\n",
        "      - in allow tcp from 10.0.2.0/24\n      - in allow tcp 80 from any\n",
        [
            "bastion-1.eth0 -> web (2 ports) tcp/1-24, tcp/26-79, tcp/81-65535: denied -> allowed (web sgr-",
            "db-1.eth0 -> web (2 ports) tcp/1-24, tcp/26-79, tcp/81-65535: denied -> allowed (web sgr-",
        ],
    ),
    (
        "10.0.2.12, groups: [bastion]}",
        "10.0.2.12, groups: [web]}",
        [
            "web (2 ports) -> bastion-1.eth0 tcp/80: denied -> allowed (web sgr-",
            "db-1.eth0 -> bastion-1.eth0 tcp/80: denied -> allowed (web sgr-",
            "outside -> bastion-1.eth0 tcp/80: denied -> allowed (web sgr-",
        ],
    ),
    ("outside:", "blocks: {web-1: abuse}\noutside:", ["outside -> web-1.eth0 tcp/80: allowed -> denied (penalty-"]),
    ("    rules:\n      - in allow tcp 80", "    description: x\n    rules:\n      - in allow tcp 80", []),
]


@pytest.mark.parametrize(("old", "new", "lines"), CHANGES, ids=[new.strip().splitlines()[-1] for _, new, _ in CHANGES])
def test_a_change_is_told_to_people(old: str, new: str, lines: list[str]) -> None:
    found = reachability_changes(world(), world(THREE_TIERS.replace(old, new, 1)))
    told = str(found).splitlines()
    for line in lines:
        assert any(each.startswith(line) for each in told), told
    if not lines:
        assert told == ["nothing changes in who reaches whom"]
    back = reachability_changes(world(THREE_TIERS.replace(old, new, 1)), world())
    assert [change.allowed for change in back.changes] == [not change.allowed for change in found.changes]
    assert not found.cut


def test_what_is_beyond_the_limit_is_said_to_be() -> None:
    after = world(THREE_TIERS.replace("- in allow tcp 80 from any", "- in allow udp 53 from any"))
    whole = reachability_changes(world(), after)
    part = reachability_changes(world(), after, limit=whole.judged // 2)
    assert part.cut
    assert part.judged == whole.judged // 2
    assert len(part.changes) < len(whole.changes)
    assert str(part).endswith(f"{part.judged} flows were judged, which is the limit")
    assert not reachability_changes(world(), after, limit=whole.judged).cut


SERVICES = [Service(Protocol(number), port) for number in (TCP, UDP) for port in (22, 25, 53, 80, 443, 60_000)]
SERVICES += [Service(Protocol(number)) for number in (1, 47, 58, 200)]
OUTSIDE = ("203.0.113.9", "203.0.113.200", "198.51.100.20", "2001:db8::9", "2600::1")


def everybody(worlds: tuple[World, World]) -> Iterator[Endpoint]:
    found = {(port.vpc, address) for it in worlds for port in it.ports for address in port.addresses}
    found |= {(vip.vpc, address) for it in worlds for vip in it.virtual_ips.values() for address in vip.addresses}
    found |= {("", Address.parse(text)) for text in OUTSIDE}
    return (Endpoint(address, vpc) for vpc, address in sorted(found))


def changed(worlds: tuple[World, World]) -> Iterator[Flow]:
    """Every flow whose verdict differs, of every address and the services above; none that stays in a guest."""
    policies = [Policy(it) for it in worlds]
    for source, destination in permutations(everybody(worlds), 2):
        if source.address.family is destination.address.family and (source.vpc or destination.vpc):
            for service in SERVICES:
                if source.address.family in service.protocol.families:
                    flow = Flow(source, destination, service)
                    one, two = (policy.evaluate(flow) for policy in policies)
                    local = Stage.LOCAL in (one.decided_by.stage, two.decided_by.stage)
                    if one.allowed != two.allowed and not local:
                        yield flow


def is_announced(found: Reached, worlds: tuple[World, World], flow: Flow) -> bool:
    """Whether some announced change is of the flow's service, and between ports or prefixes like its ends."""
    return any(
        any(_has(span, flow.service) for span in change.spans)
        and (change.example.source_port is None)
        and _alike(worlds, change.example.source, flow.source)
        and _alike(worlds, change.example.destination, flow.destination)
        for change in found.changes
    )


def _has(span: object, service: Service) -> bool:
    number, first, last = (getattr(span, name) for name in ("number", "first", "last"))
    if getattr(span, "others"):  # noqa: B009
        return service.number not in (TCP, UDP, 1, 58)
    return bool(number == service.number and (first is None or first <= (service.port or 0) <= last))


def _alike(worlds: tuple[World, World], one: Endpoint, two: Endpoint) -> bool:
    """Whether two ends have the same groups and VPC; outside, whether both are."""
    if one.vpc != two.vpc or one.address.family is not two.address.family:
        return False
    groups = [[sorted(port.groups) if (port := it.port_at(end)) else None for it in worlds] for end in (one, two)]
    return groups[0] == groups[1]


def edited(before: World, chance: random.Random) -> World:
    """A world after a few edits of rules, ports and entries, or with something else on the path."""
    kind = chance.randrange(6)
    if kind == 0:
        acls = by_name(replace(acl, enabled=not acl.enabled) for acl in before.acls.values())
        return replace(before, acls=acls, penalties={})
    if kind == 1:
        return replace(before, peerings={})
    if kind == 2:
        vpcs = by_name(replace(vpc, border=()) for vpc in before.vpcs.values())
        return replace(before, vpcs=vpcs)
    if kind == 3:
        vips = by_name(replace(vip, active=chance.choice(vip.ports)) for vip in before.virtual_ips.values())
        return replace(before, virtual_ips=vips)
    return [*edits(before, chance, chance.randint(1, 3))][-1][1]


@settings(max_examples=15, deadline=None)
@given(full_worlds(), st.integers(0, 2**32))
def test_what_is_announced_changes_and_what_changes_is_announced(before: World, seed: int) -> None:
    after = edited(before, random.Random(seed))
    found = reachability_changes(before, after)
    policies = Policy(before), Policy(after)
    for change in found.changes:
        verdicts = [policy.evaluate(change.example).allowed for policy in policies]
        assert verdicts == [not change.allowed, change.allowed]
        assert str(change)
    worlds = (before, after)
    assert not found.cut
    for flow in changed(worlds):
        assert is_announced(found, worlds, flow), (str(flow), str(found))
    assert reachability_changes(before, replace(before, expects=())).changes == ()


def few(rng: random.Random, profile: Profile) -> World:
    """A world with rules of every kind, and a handful of instances."""
    whole = random_world(rng, profile)
    chosen = dict(sorted(rng.sample(sorted(whole.instances.items()), 4)))
    penalties = {name: it for name, it in whole.penalties.items() if name.partition(".")[0] in chosen}
    return replace(whole, instances=chosen, penalties=penalties, virtual_ips={}, expects=(), outside={})


@pytest.mark.parametrize("seed", [3, 7])
def test_a_change_of_a_world_with_many_rules_is_announced(seed: int) -> None:
    rng = random.Random(seed)
    before = few(rng, [HUAWEI, ALIBABA][seed % 2])
    after = [*edits(before, rng, 2)][-1][1]
    found = reachability_changes(before, after)
    policies = Policy(before), Policy(after)
    flows = [flow for flow in random_flows(rng, before, 600) if flow.source_port is None]
    for flow in flows:
        one, two = (policy.evaluate(flow) for policy in policies)
        if one.allowed != two.allowed and Stage.LOCAL not in (one.decided_by.stage, two.decided_by.stage):
            assert found.cut or is_announced(found, (before, after), flow), str(flow)


def test_the_work_does_not_grow_with_ports_of_one_kind() -> None:
    more = "".join(f"  n{number}: {{subnet: web, ip: 10.0.1.{number}, groups: [web]}}\n" for number in range(20, 220))
    big = THREE_TIERS.replace("outside:", f"{more}outside:")
    rule = "  db:\n    rules:\n      - in allow tcp 3306 from group web\n"
    small, large = (
        reachability_changes(world(text), world(text.replace("  db:\n    rules:\n", rule)))
        for text in (THREE_TIERS, big)
    )
    assert large.judged == small.judged
    assert str(large).startswith("web (202 ports) -> db-1.eth0 tcp/3306: denied -> allowed")
    assert {change.source.family for change in large.changes} == {Family.IPV4}
