"""Every world in examples/: each ``expect`` line by the evaluator, by the oracle and by a real packet.

The lines are written by hand from the requirement documents, so all three are held against the documents.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from ringfence.lab.lab import Lab
from ringfence.lab.outcome import Row
from ringfence.lab.verify import interesting_flows
from ringfence.model.acl import AclRule
from ringfence.model.address import Family
from ringfence.model.rule import Action, Direction, Rule
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy, evaluate
from ringfence.worldfile import read
from tests import oracle

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))

SITUATIONS = {
    "remote login from anywhere": "remote-login-anywhere",
    "remote login from a known range": "remote-login-known-range",
    "FTP": "ftp",
    "web site": "web-site",
    "ping": "ping",
    "group to group": "group-to-group",
    "databases with group, address, prefix and address group": "databases",
    "restricted outbound": "restricted-outbound",
    "sg-AB of the rules table": "sg-ab",
    "allow 80 with priority 1": "allow-80",
    "deny 6379 with priority 100 and its override": "deny-6379",
    "redis cluster by group": "redis-cluster",
    "basic group isolation": "group-isolation",
    "instances requiring intercommunication in one group": "common-group",
    "default group, huawei": "default-group-huawei",
    "default group, alibaba": "default-group-alibaba",
    "basic and advanced groups": "advanced-group",
    "several groups on one port, aggregated": "several-groups",
    "several groups on one port, in sequence": "groups-in-sequence",
    "two interfaces on one instance": "two-interfaces",
    "why do my rules not work": "rules-that-do-not-work",
    "rules that are one change away from working": "rules-that-come-near",
    "the same group in two VPCs": "same-group-two-vpcs",
    "the same group in two VPCs with a peering": "same-group-two-vpcs-peered",
    "a virtual IP, by group, address and subnet": "virtual-ip",
    "network ACL against security group": "acl-over-groups",
    "network ACL, inside one subnet": "acl-not-within-subnet",
    "network ACL, disabled": "acl-disabled",
    "network ACL, stateless": "acl-stateless",
    "port 25": "port-25",
    "high-risk ports that carriers block": "carrier-ports",
    "penalty of an instance and of one interface": "penalty",
    "rules added by DMS and DTS": "managed-rules",
    "classic network, intranet and internet": "classic-network",
    "classic network and VPC": "classic-and-vpc",
    "group of another account": "group-of-other-account",
    "two interfaces on one instance in two namespaces": "two-interfaces-in-namespaces",
    "IP address group as a shared object": "address-group-shared",
    "prefix list as a shared object": "prefix-list-shared",
    "five groups on one port": "five-groups",
    "FTP with the helper": "ftp-helper",
    "VPC firewall between two VPCs": "vpc-firewall",
    "cloud firewall at the internet border": "internet-border",
    "a VPC with a secondary range": "secondary-cidrs",
    "five-tuple rule": "five-tuple",
    "restricted outbound by source port": "restricted-outbound-source-port",
    "the port is not open inside the instance": "inside-the-guest",
    "what a change does to open connections, before it": "live-change-before",
    "what a change does to open connections, after it": "live-change-after",
    "the world of the README": "three-tier",
}
"""The situations of the requirement documents, and the example that shows each."""


@cache
def world_of(name: str) -> World:
    """The world of one example."""
    return read(EXAMPLES / f"{name}.yaml")


LINES = [(name, index) for name in NAMES for index in range(len(world_of(name).expects))]


def test_every_situation_has_an_example() -> None:
    assert set(SITUATIONS.values()) == set(NAMES)


def test_every_example_is_in_the_readme_once() -> None:
    section = (EXAMPLES.parent / "README.md").read_text().split("\n## Examples\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (?!about|-).* \| (.*) \|$", section, re.MULTILINE)
    assert sorted(re.findall(r"`([\w-]+)`", " ".join(rows))) == NAMES


@pytest.mark.parametrize(("name", "index"), LINES, ids=[f"{name}: {world_of(name).expects[i]}" for name, i in LINES])
def test_model_and_oracle_say_what_is_expected(name: str, index: int) -> None:
    world = world_of(name)
    expectation = world.expects[index]
    flow = world.flow(expectation.query)
    verdict = evaluate(world, flow)
    assert Row(expectation, verdict, None).ok, str(verdict)
    assert oracle.allowed(world, flow) == (expectation.action is Action.ALLOW), oracle.reason(world, flow)


@pytest.mark.parametrize("name", NAMES)
def test_example_expects_both_verdicts(name: str) -> None:
    """And asks over each family that its instances have. What never denies, or never allows, shows little."""
    world = world_of(name)
    assert {expectation.action for expectation in world.expects} == set(Action)
    families = {address.family for port in world.ports for address in port.addresses}
    assert {expectation.query.family for expectation in world.expects} == families >= {Family.IPV4}


def rules_of(world: World) -> dict[str, str]:
    """What each rule says, by its id: of groups, and of ACLs and firewalls."""
    lines: list[tuple[str, tuple[Rule | AclRule, ...]]] = [
        *((group.name, tuple(rule for rule in group.rules if rule.enabled)) for group in world.groups.values()),
        *((acl.name, acl.rules_of(direction)) for acl in world.acls.values() for direction in Direction),
        *((vpc.border_owner, vpc.border) for vpc in world.vpcs.values()),
        *((peering.firewall_owner, peering.firewall) for peering in world.peerings.values()),
    ]
    return {rule.id_in(owner): f"{owner}: {rule}" for owner, rules in lines for rule in rules}


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_of_an_example_decides_a_line(name: str) -> None:
    """A rule that no line depends on shows nothing; rules that only come too late must be named as late by one."""
    world = world_of(name)
    verdicts = [evaluate(world, world.flow(each.query)) for each in world.expects]
    steps = [step for verdict in verdicts for step in (*verdict.steps, *verdict.back)]
    told = {step.rule_id for step in steps} | {late.rule_id for step in steps for late in step.late}
    assert {text for rule_id, text in rules_of(world).items() if rule_id not in told} == set()


@pytest.mark.parametrize("name", NAMES)
def test_model_and_oracle_agree_on_every_interesting_flow(name: str) -> None:
    world = world_of(name)
    policy = Policy(world)
    verdicts = [policy.evaluate(flow) for flow in interesting_flows(world)]
    differ = [verdict for verdict in verdicts if verdict.allowed != oracle.allowed(world, verdict.flow)]
    assert verdicts
    assert not differ, "\n".join(f"{verdict}\n  oracle: {oracle.reason(world, verdict.flow)}" for verdict in differ[:9])


@pytest.mark.parametrize("name", NAMES)
def test_example_names_its_source(name: str) -> None:
    header = re.match(r"(#.*\n)+", (EXAMPLES / f"{name}.yaml").read_text())
    assert header
    assert name == "three-tier" or re.search(r"^# Source: \w+", header[0], re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_packets_do_what_is_expected(name: str, lab_name: str) -> None:
    with Lab.up(world_of(name), name=lab_name) as lab:
        rows, report = lab.check_expectations(), lab.verify()
    assert len(rows) == len(world_of(name).expects)
    wrong = [f"{row.expectation}\n  model: {row.verdict}\n  packet: {row.observation}" for row in rows if not row.ok]
    assert not wrong, "\n".join(wrong)
    told = [f"{each.verdict}\n  packet: {each.observation}" for each in report.differences[:9]]
    told += [f"{each.flow}: {each}" for each in report.unproved[:9]]
    assert report.ok, "\n".join(told)
