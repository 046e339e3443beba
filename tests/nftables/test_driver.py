"""The driver against a real kernel: what it loads, what a change costs, and what a refusal leaves. No packets here."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.backends.nftables.driver import Driver
from ringfence.backends.nftables.names import address_set, port_link
from ringfence.backends.nftables.readback import Counter
from ringfence.backends.nftables.render import render
from ringfence.backends.nftables.ruleset import between, preparation, removal, render_key, switch
from ringfence.compile.boxes import KINDS
from ringfence.compile.compiler import compile_world
from ringfence.compile.plan import ClassPlan, PortPlan, VpcPlan
from ringfence.errors import CannotRun, KernelRefused
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.profile import ALIBABA
from ringfence.model.rule import Action, Direction, Rule
from ringfence.policy.platform import BLOCKED_EGRESS, CARRIER
from tests.nftables.kernel import TABLE, Kernel
from tests.nftables.plans import GROUPS, everything, history, overlapping, plan_of, whole_plan
from tests.policy.build import build

pytestmark = pytest.mark.packets

SMALL, WHOLE = plan_of(), whole_plan()


@pytest.mark.parametrize("plan", [SMALL, WHOLE], ids=["small", "whole"])
def test_a_fresh_table_is_what_was_asked_for(kernel: Kernel, plan: VpcPlan) -> None:
    driver = kernel.driver()
    assert driver.counters() == {}
    assert driver.audit(plan) != []
    assert driver.apply(plan) > 0
    assert driver.audit(plan) == []
    assert driver.apply(plan) == 0


@pytest.mark.parametrize("plan", [VpcPlan("empty"), SMALL, WHOLE], ids=["empty", "small", "whole"])
def test_every_base_chain_ends_in_drop(kernel: Kernel, plan: VpcPlan) -> None:
    kernel.driver().apply(plan)
    chains = [it for key, it in kernel.state().items() if key.startswith("chain ") and "hook" in it]
    assert {(it["hook"], it["prio"]) for it in chains} == {("prerouting", -300), ("input", 0), ("forward", 0)}
    assert {it["policy"] for it in chains} == {"drop"}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_class_outwards_never_accepts(seed: int) -> None:
    """It drops or goes on to the other gate, so that no rule of the sender can skip those of the receiver."""
    for plan in history(seed, 2):
        ruleset = render(plan)
        for direction, verdicts in (("out", {"goto dropped", "goto onward"}), ("in", {"goto dropped", "accept"})):
            chains = [it for name, it in ruleset.chains.items() if re.fullmatch(rf"c[0-9a-f]{{8}}-{direction}", name)]
            for text in (rule.text for chain in chains for rule in chain.rules):
                _, counts, verdict = text.rpartition("counter ")
                assert verdict in verdicts if counts else re.match(r"jump class-of-|.* vmap @c[0-9a-f]{8}-", verdict)
            maps = [it for name, it in ruleset.sets.items() if re.match(rf"c[0-9a-f]{{8}}-{direction}-", name)]
            assert {element.value for it in maps for element in it.elements.values()} <= verdicts


def test_only_known_links_are_dispatched_and_only_own_addresses_pass(kernel: Kernel) -> None:
    kernel.driver().apply(SMALL)
    found = kernel.state()
    links = {port_link(f"{name}.eth0") for name in "abcd"}
    elements = "\n".join(found["map links"]["elem"])
    assert len(found["map links"]["elem"]) == 5
    assert all(f'"{link}"' in elements for link in (*links, "rf-uplink"))
    for family, first in (("4", "10.0.0.11"), ("6", "fd00::b")):
        elements = found[f"set sources{family}"]["elem"]
        assert len(elements) == 4
        assert sum(port_link("a.eth0") in it and f'"{first}"' in it for it in elements) == 1


again_and_again = [HealthCheck.function_scoped_fixture]
"""One namespace serves every example of a law; each begins by emptying it."""


@settings(max_examples=8, deadline=None, suppress_health_check=again_and_again)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_changed_table_equals_a_fresh_one(kernel: Kernel, seed: int) -> None:
    """difference(old, new) applied to old is new: by the driver's own reading, and by that of the `nft` program."""
    states = []
    plans = history(seed, 3)
    for steps in (plans, plans[-1:]):
        kernel.clear()
        driver = kernel.driver()
        for plan in steps:
            driver.apply(plan)
        assert kernel.driver().audit(plan) == []
        states.append(kernel.state())
    assert states[0] == states[1]


@settings(max_examples=10, deadline=None, suppress_health_check=again_and_again)
@given(seed=st.integers(0, 2**32 - 1))
def test_there_and_back_is_where_it_was(kernel: Kernel, seed: int) -> None:
    one, two = history(seed, 2)
    kernel.clear()
    driver = kernel.driver()
    driver.apply(one)
    before = kernel.state()
    driver.apply(two)
    driver.apply(one)
    assert kernel.state() == before


def test_names_and_spaces_at_their_limits_load_and_list_back(kernel: Kernel) -> None:
    """The longest names, of any script and alike in their beginnings; the longest rule id; several prefixes a VPC."""
    rule = replace(Rule.parse("in allow tcp 1-65535 from any"), given_id="s" + "-._:" * 15 + "end")
    ports = [PortPlan(f"{'東京' * 63}{end}.eth0", (Address.parse(f"10.0.0.{end}"),), 0xFFFFFFFF) for end in (11, 12)]
    rest = {kind: ((everything(kind, "rest"),),) for kind in KINDS}
    box = everything(KINDS[0], rule.given_id)._replace(protocols=(6, 6), ports=(1, 65535), action=Action.ALLOW)
    gate = {**rest, KINDS[0]: ((box,), *rest[KINDS[0]])}
    cidrs = tuple(map(Prefix.parse, ("10.0.0.0/16", "10.1.0.0/16", "192.168.0.0/24")))
    for space in (cidrs, (Prefix.parse("fd00::/56"),), ()):
        plan = VpcPlan(
            "v", space, classes=(ClassPlan(0xFFFFFFFF, ("g",), dict.fromkeys(Direction, gate)),), ports=tuple(ports)
        )
        assert kernel.driver().apply(plan) > 0
        assert kernel.driver().audit(plan) == []
        assert set(kernel.driver().counters()) == {rule.given_id, "rest"}


@pytest.mark.parametrize(
    ("ports", "count"),
    [
        pytest.param("a: web; b: web; c: db; d: web db; e: web", 5, id="a port joins a class"),
        pytest.param("a: web; c: db; d: web db", 5, id="a port leaves its class"),
        pytest.param("a: web; b: db; c: db; d: web db", 6, id="a port changes its class"),
    ],
)
def test_a_port_that_comes_or_goes_is_an_element_and_touches_no_policy(kernel: Kernel, ports: str, count: int) -> None:
    """One element in the map of links and, for each family, two of addresses; taken out and put in if it changes."""
    kernel.driver().apply(without_order(SMALL))
    wanted = without_order(plan_of(ports))
    commands = kernel.driver().audit(wanted)
    assert len(commands) == count
    assert all(" element " in command for command in commands)
    assert kernel.driver().apply(wanted) == count
    assert kernel.driver().audit(wanted) == []


def without_order(plan: VpcPlan) -> VpcPlan:
    """The plan with the addresses that `build` gives by place made the port's own again."""
    ports = tuple(replace(it, addresses=_addresses_of(it.name)) for it in plan.ports)
    return replace(
        plan, ports=ports, members=tuple(replace(it, addresses=_addresses_of(it.name)) for it in plan.members)
    )


def _addresses_of(name: str) -> tuple[Address, ...]:
    return tuple(map(Address.parse, (f"10.0.0.{ord(name[0])}", f"fd00::{ord(name[0])}")))


def test_an_entry_of_an_address_group_is_an_element(kernel: Kernel) -> None:
    """Whoever names the group, and however many entries it has; as long as it has another of that length."""
    kernel.driver().apply(WHOLE)
    office, (gone, *kept) = address_set("office", Family.IPV4, 24), WHOLE.address_groups["office"]
    come = Prefix.parse("192.0.2.0/24")
    more, less = sorted([gone, *kept, come]), [it for it in (gone, *kept) if it.length != 24]
    wanted = [replace(WHOLE, address_groups={**WHOLE.address_groups, "office": tuple(it)}) for it in (more, less)]
    assert kernel.driver().audit(wanted[0]) == [f"add element inet {TABLE} {office} {{ 192.0.2.0 }}"]
    assert kernel.driver().apply(wanted[0]) == 1
    assert kernel.driver().audit(WHOLE) == [f"delete element inet {TABLE} {office} {{ 192.0.2.0 }}"]
    assert kernel.driver().apply(wanted[1]) > 1  # nothing looks for that length any more
    assert kernel.driver().audit(wanted[1]) == []
    assert office not in "".join(kernel.state())


def test_a_key_of_all_six_parts_reads_back(kernel: Kernel) -> None:
    """Class, both addresses, both ports and protocol: nft can list no more than five, so it is a map a protocol."""
    rules = [
        f"in allow {protocol} {port} from group web port {1000 + port}-65535 to 10.0.0.{port}/32"
        for port in range(11, 16)
        for protocol in ("tcp", "udp")
    ]
    world = build(ALIBABA, "a: web; b: many", {"web": "out allow all to any", "many": "; ".join(rules)})
    plan = compile_world(world).vpcs["main"]
    maps = [it for it in render(plan).sets.values() if it.interval]
    assert [sorted(it.fields) for it in maps] == 2 * [[*2 * ["inet_service"], *2 * ["ipv4_addr"], "mark"]]
    kernel.driver().apply(plan)
    assert kernel.driver().apply(plan) == 0
    assert kernel.driver().audit(plan) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_packets_may_need_comes_first_and_goes_last(seed: int) -> None:
    """A packet that is under way during the switch goes by the old rules, and finds all that they look into."""
    old, new = map(render, history(seed, 2))
    change = between(old, new)
    come, switched, gone = (step(TABLE, change) for step in (preparation, switch, removal))
    assert all(command.startswith("add ") for command in come)
    assert all(re.match("flush chain|add rule|(add|delete) element", command) for command in switched)
    assert all(re.match("flush chain|delete ", command) for command in gone)
    rules = [rule.text for ruleset in (old, new) for chain in ruleset.chains.values() for rule in chain.rules]
    assert not any("map {" in text for text in rules)  # such a map is empty as soon as its rule is to go
    by_number = [name for name, it in new.sets.items() if it.value_type == "verdict" and not it.interval]
    assert not any(f"element inet {TABLE} {name} " in command for command in switched for name in by_number)


def ids(group: str) -> list[str]:
    return [Rule.parse(text).id_in(group) for text in GROUPS[group].split("; ")]


def test_counters_are_told_by_rule_id_and_summed(kernel: Kernel) -> None:
    """Every element and rule of one id counts, whatever class and layer it is in; nothing else is told."""
    driver = kernel.driver()
    driver.apply(SMALL)
    others = {"default-ingress", BLOCKED_EGRESS, CARRIER}
    assert driver.counters() == dict.fromkeys({*ids("web"), *ids("db"), *others}, Counter(0, 0))
    maps = {name: it for name, it in render(SMALL).sets.items() if it.interval}
    assert len(maps) == 2  # of class web, and of class web and db
    rule_id, hits = ids("web")[3], iter((1, 20, 300, 4000))
    for name, it in maps.items():
        keys = [render_key(it.fields, key) for key, element in it.elements.items() if element.comment == rule_id]
        assert len(keys) == 10
        for key, packets in zip(keys[:2], hits, strict=False):
            where, counter = f"inet {TABLE} {name}", f"counter packets {packets} bytes {packets * 100}"
            kernel.nft("delete", "element", where, f"{{ {key} }}")
            kernel.nft("add", "element", where, f'{{ {key} {counter} comment "{rule_id}" : accept }}')
    assert driver.counters()[rule_id] == Counter(4321, 432100)
    assert sum(count.packets for count in driver.counters().values()) == 4321
    assert driver.audit(SMALL) == []
    driver.apply(plan_of("a: web; b: web; c: db; d: web db; e: web"))
    assert driver.counters()[rule_id] == Counter(4321, 432100)


def test_a_refused_change_leaves_the_old_policy_in_force(kernel: Kernel) -> None:
    driver = kernel.driver()
    driver.apply(SMALL)
    before = kernel.state()
    broken = overlapping(plan_of("a: new; c: db; e: web", new="in allow tcp 99 from any"))
    for _ in range(2):
        with pytest.raises(KernelRefused) as refused:
            driver.apply(broken)
        assert kernel.state() == before
    message = str(refused.value)
    assert "File exists" in message
    assert "\n" not in message
    assert len(message) < 800
    assert driver.apply(SMALL) == 0
    assert driver.apply(plan_of("a: web")) > 0


def test_a_first_change_that_is_refused_leaves_no_table(kernel: Kernel) -> None:
    with pytest.raises(KernelRefused):
        kernel.driver().apply(overlapping(SMALL))
    assert kernel.nft("list", "ruleset") == ""


def test_a_refusal_names_what_was_refused(kernel: Kernel) -> None:
    """Not the first command of the change, which may be of quite another thing."""
    driver = kernel.driver()
    driver.apply(SMALL)
    with pytest.raises(KernelRefused, match=r"add element inet ringfence c[0-9a-f]{8}-in-4p0\S* "):
        driver.apply(overlapping(SMALL))


def with_no_address(plan: VpcPlan) -> VpcPlan:
    """The plan with a prefix that is none: a rule of a chain that every table has names it."""
    return replace(plan, cidrs=(*plan.cidrs, Prefix(Family.IPV4, 1 << 40, 8)))


def test_after_a_refusal_the_driver_looks_again(kernel: Kernel) -> None:
    """A plan that cannot be was refused; the next one that can starts from what the kernel holds."""
    driver = kernel.driver()
    driver.apply(SMALL)
    before = kernel.state()
    with pytest.raises(KernelRefused):
        driver.apply(with_no_address(SMALL))
    assert kernel.state() == before
    assert driver.apply(WHOLE) > 0
    assert kernel.driver().audit(WHOLE) == []


def test_a_refusal_after_parts_were_made_ready_leaves_no_more_than_them(kernel: Kernel) -> None:
    """Maps and chains that nothing refers to yet decide nothing; the next change that succeeds takes them away."""
    driver = kernel.driver()
    driver.apply(SMALL)
    before = kernel.state()
    many = ",".join(map(str, range(100, 140, 2)))
    wanted = plan_of("a: web; b: web; c: db; d: web db; e: web", web=f"in allow tcp {many} from any")
    with pytest.raises(KernelRefused):
        driver.apply(with_no_address(wanted))
    after = kernel.state()
    assert {name: after[name] for name in before} == before
    assert all(re.match("(map|chain|rules of) c[0-9a-f]{8}-", name) for name in after.keys() - before.keys())
    driver.apply(SMALL)
    assert kernel.driver().audit(SMALL) == []
    assert kernel.state().keys() <= before.keys()


def test_a_namespace_that_is_not_there_is_one_clear_message() -> None:
    with pytest.raises(CannotRun, match="no network namespace 'rf-nft-nowhere'"):
        Driver("rf-nft-nowhere", TABLE)
