"""What went wrong in comparable systems and needs no packet to show; each test is named after where it went wrong."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import permutations, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence import garbage
from ringfence.backends.nftables.render import render
from ringfence.backends.nftables.ruleset import Ruleset, difference
from ringfence.compile.compiler import compile_world
from ringfence.compile.plan import VpcPlan
from ringfence.errors import KernelRefused
from ringfence.model.address import Family, Prefix
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.rule import Action, Rule
from ringfence.model.world import World
from ringfence.policy.evaluate import evaluate
from tests.compile.test_plan import from_a_port
from tests.compile.walk import box_of
from tests.full_worlds import full_worlds
from tests.nftables.kernel import TABLE, Kernel
from tests.nftables.large import large_world
from tests.nftables.plans import history, overlapping, plan_of
from tests.policy.build import ask, build
from tests.policy.draw import worlds

pytestmark = pytest.mark.packets


def judged(world: World, flow: str, family: Family) -> tuple[Action, str]:
    """What the last gate on the way says, and by which rule: the evaluator's and the plan's word, which must agree."""
    asked = from_a_port(ask(world, flow, family))
    step = evaluate(world, asked).steps[-1]
    said = box_of(compile_world(world), step, asked)
    assert (said.action, said.rule_id) == (step.action, step.rule_id)
    return said.action, said.rule_id


@pytest.mark.parametrize("family", Family, ids=str)
@pytest.mark.parametrize("priority", [1, 2, 50, 99, 100])
@pytest.mark.parametrize("profile", [HUAWEI, ALIBABA], ids=lambda profile: profile.name)
def test_feint_491_kube_ovn_4607_a_tenant_rule_of_any_priority_outranks_isolation_and_defaults(
    profile: Profile, priority: int, family: Family
) -> None:
    allow = Rule.parse(f"in allow tcp 22 from any priority {priority}")
    deny = Rule.parse(f"out deny tcp 22 to any priority {priority}")
    world = build(profile, "a: open; b: open; c: shut", {"open": str(allow), "shut": str(deny)})
    assert judged(world, "a -> b tcp/22", family) == (Action.ALLOW, allow.id_in("open"))
    assert judged(world, "laptop -> a tcp/22", family) == (Action.ALLOW, allow.id_in("open"))
    assert judged(world, "c -> laptop tcp/22", family) == (Action.DENY, deny.id_in("shut"))


FOREIGN = """
add table inet filter
add chain inet filter forward { type filter hook forward priority 5; policy accept; }
add rule inet filter forward ct state invalid counter drop
add set inet filter seen { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 }; }
add table ip ringfence
add chain ip ringfence forward { type filter hook forward priority 0; policy accept; }
add table inet ringfence2
add map inet ringfence2 egress { type ifname : verdict; elements = { "rf-uplink" : accept }; }
add table bridge ringfence
add chain bridge ringfence input
add rule bridge ringfence input ip saddr 10.0.0.1 drop
add table ip nat
add chain ip nat post { type nat hook postrouting priority 100; }
add rule ip nat post oifname "eth0" masquerade
"""
"""Tables of others, some with a name like ours."""


def test_kube_ovn_5995_firewalld_863_foreign_tables_stay_byte_identical(kernel: Kernel) -> None:
    kernel.nft("-f", "-", text=FOREIGN)
    before = kernel.nft("-a", "list", "ruleset")
    one, two = plan_of(), plan_of("a: web; c: db")
    driver = kernel.driver()

    def foreign() -> str:
        tables = ("inet filter", "ip ringfence", "inet ringfence2", "bridge ringfence", "ip nat")
        return "".join(kernel.nft("-a", "list", "table", *table.split()) for table in tables)

    assert foreign() == before
    for plan in (one, one, two, VpcPlan("empty"), one):
        driver.apply(plan)
        assert foreign() == before
    kernel.nft("flush", "table", "inet", TABLE)
    kernel.driver().apply(two)
    assert foreign() == before
    with pytest.raises(KernelRefused):
        kernel.driver().apply(replace(two, cidrs=(Prefix(Family.IPV4, 1 << 40, 8),)))
    assert foreign() == before
    driver.remove()
    assert kernel.nft("-a", "list", "ruleset") == before


def test_omicron_4956_firewalld_1417_equal_priority_and_opposite_action_in_every_order() -> None:
    """Deny wins, and no order of saying it changes a byte of what is enforced."""
    rules = (
        "in allow tcp 22 from any priority 7",
        "in deny tcp 22 from any priority 7",
        "in allow all from any priority 8",
    )
    deny = Rule.parse(rules[1])
    texts = set()
    for order, groups in product(permutations(rules), permutations(("g", "h"))):
        world = build(
            HUAWEI, f"a: {' '.join(groups)}", {"g": "; ".join(order), "h": "in allow tcp 22 from any priority 7"}
        )
        for family in Family:
            assert judged(world, "laptop -> a tcp/22", family) == (Action.DENY, deny.id_in("g"))
        texts.add("\n".join(difference(TABLE, Ruleset(), render(compile_world(world).vpcs["main"]))))
    assert len(texts) == 1


again_and_again = [HealthCheck.function_scoped_fixture]
"""One namespace serves every example of a law; each begins by emptying it."""


@settings(max_examples=10, deadline=None, suppress_health_check=again_and_again)
@given(world=worlds() | full_worlds())
def test_aerleon_494_capirca_280_generated_text_loads_and_lists_back(kernel: Kernel, world: World) -> None:
    """Not against a golden text: a real kernel takes it, and what it lists is what was meant."""
    for plan in compile_world(world).vpcs.values():
        kernel.clear()
        text = [f"add table inet {TABLE}", *difference(TABLE, Ruleset(), render(plan))]
        kernel.nft("-c", "-f", "-", text="\n".join(text))
        kernel.driver().apply(plan)
        assert kernel.driver().audit(plan) == []
        loaded = kernel.state()
        rules = [it for key, listed in loaded.items() if key.startswith("rules of ") for it in listed]
        elements = [it for key, listed in loaded.items() if key.startswith(("map ", "set ")) for it in listed["elem"]]
        assert len(rules) == sum(command.startswith("add rule ") for command in text)
        assert len(elements) == sum(len(it.elements) for it in render(plan).sets.values())


@settings(max_examples=6, deadline=None, suppress_health_check=again_and_again)
@given(seed=st.integers(0, 2**32 - 1))
def test_felix_2501_localstack_11512_a_second_apply_sends_nothing(kernel: Kernel, seed: int) -> None:
    """Neither from the driver that applied it, nor from one that has to read the kernel first."""
    kernel.clear()
    driver = kernel.driver()
    for plan in history(seed, 3):
        driver.apply(plan)
        before = kernel.state()
        assert driver.apply(plan) == 0
        assert kernel.driver().apply(plan) == 0
        assert kernel.state() == before


def test_firewalld_738_1399_a_large_policy_is_taken_in_one_go_or_refused_as_a_whole(kernel: Kernel) -> None:
    """Of 10,000 ports and 50,000 members, where others met messages too long for the kernel, and loaded half."""
    driver = kernel.driver()
    driver.apply(plan_of())
    before = kernel.state()
    with garbage.paused():
        large, one_more = (compile_world(large_world(10_000 + more, 50_000 + more)).vpcs["v"] for more in (0, 1))
        with pytest.raises(KernelRefused):
            driver.apply(overlapping(large))
        assert kernel.state() == before
        started = time.monotonic()
        driver.apply(large)
        assert time.monotonic() - started < 40  # ten times what it takes, on a busy machine
        assert driver.apply(one_more) == 5
    for name, count in (("links", 10_003), ("sources6", 10_001), ("class4", 50_001)):
        listed = kernel.nft("list", "set" if name == "sources6" else "map", "inet", TABLE, name)
        assert listed.count("comment") == count
