"""Which live connections a change cuts: the table of SEMANTICS.md 3.3, and laws over random worlds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ringfence.model.address import Address, Family
from ringfence.model.connection import Connection
from ringfence.model.flow import Flow
from ringfence.model.profile import ALIBABA, HUAWEI, PROFILES, AfterClear, OnChange, Profile, Timeouts
from ringfence.model.service import ICMP, ICMPV6
from ringfence.model.world import World
from ringfence.policy.change import Change
from ringfence.policy.evaluate import Policy
from ringfence.policy.live import LiveChange, hold_of
from tests.edits import edits
from tests.live.cells import CELLS, FLOWS, PROTOCOLS, Cell, connection
from tests.policy.edits import shuffled, with_profile
from tests.worlds import random_flows, random_world

MODES = {
    "huawei": ("huawei", "", OnChange.CLEAR_INBOUND, True),
    "huawei-rematch": ("huawei", "after_clear: rematch", OnChange.CLEAR_INBOUND, False),
    "huawei-keep": ("huawei", "on_change: keep", OnChange.KEEP, False),
    "alibaba": ("alibaba", "", OnChange.REJUDGE, False),
    "alibaba-hold": ("alibaba", "after_clear: hold", OnChange.REJUDGE, True),
    "alibaba-keep": ("alibaba", "on_change: keep", OnChange.KEEP, False),
}
HOLDS = {"tcp": (600, 910), "udp": (180, 180), "icmp": (30, 30), "gre": (180, 180)}
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=str)


@FAMILIES
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_change_cuts_what_the_table_says(cell: Cell, mode: str, family: Family) -> None:
    profile, switches, on_change, holds = MODES[mode]
    before, after = cell.before(profile, switches), cell.after(profile, switches)
    live = {(name, over): connection(before, name, over, family) for name, over in product(FLOWS, PROTOCOLS)}
    cut = {OnChange.CLEAR_INBOUND: cell.clear_inbound, OnChange.REJUDGE: cell.rejudge, OnChange.KEEP: ""}[on_change]
    held = {"huawei": 0, "alibaba": 1}[profile]
    expected = {(name, over): HOLDS[over][held] if holds else 0 for name, over in product(cut.split(), PROTOCOLS)}
    expected |= dict.fromkeys(product(cell.always.split(), PROTOCOLS), 0)
    change = LiveChange(before, after)
    found = {key: change.cut(one) for key, one in live.items()}
    assert {key: one.hold for key, one in found.items() if one} == expected
    assert all(one.because for one in found.values() if one)
    assert not expected or "shop" in change.vpcs
    reverse = LiveChange(before, before)
    assert reverse.vpcs == ()
    assert not any(map(reverse.cut, live.values()))


@pytest.mark.parametrize(
    ("protocol", "answered", "ended", "seconds"),
    [
        (6, True, False, 1),
        (6, False, False, 1),
        (6, True, True, 0),  # it is over: there is nothing to hold
        (ICMP, True, False, 4),
        (ICMPV6, False, False, 4),
        (17, True, False, 5),
        (17, False, False, 6),
        (47, True, False, 5),
        (132, False, False, 6),
    ],
)
@pytest.mark.parametrize("profile", [HUAWEI, ALIBABA], ids=lambda profile: profile.name)
def test_a_key_is_held_for_the_timeout_of_its_protocol(
    profile: Profile, protocol: int, answered: bool, ended: bool, seconds: int
) -> None:
    one, other = Address.parse("10.0.0.1"), Address.parse("10.0.0.2")
    live = Connection("v", protocol, one, other, 1, 2, answered, ended)
    holding = replace(profile, after_clear=AfterClear.HOLD, timeouts=Timeouts(1, 2, 3, 4, 5, 6))
    assert hold_of(live, holding) == seconds
    assert hold_of(live, replace(holding, after_clear=AfterClear.REMATCH)) == 0


def test_a_data_connection_shares_the_fate_of_its_session() -> None:
    """An active FTP data connection is begun by the server, whose port's rules changed: alone it would be outbound."""
    cell = next(cell for cell in CELLS if cell.name == "rule added")
    change = LiveChange(cell.before("huawei"), cell.after("huawei"))
    client, server = Address.parse("203.0.113.9"), Address.parse("10.0.1.11")
    session = Connection("shop", 6, client, server, 40000, 21, answered=True)
    data = Connection("shop", 6, server, client, 20, 40001, answered=True)
    assert change.cut(data) is None
    cut = change.cut(replace(data, parent=session))
    assert cut is not None
    assert (cut.connection.source, cut.hold) == (server, 600)


# Laws.

SEEDS = st.integers(0, 2**32 - 1)
CLOUDS = st.sampled_from(sorted(PROFILES))
LIVE = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CHANGED = [field.name for field in fields(Change)]


def mixed(seed: int, cloud: str, parts: set[str], switches: dict[str, Any]) -> tuple[World, World]:
    """A world, and one in which some parts are those of another world over the same topology."""
    worlds = (random_world(random.Random(seed + number), PROFILES[cloud]) for number in (0, 1))
    one, other = (with_profile(world, lambda it: replace(it, **switches)) for world in worlds)
    other = replace(
        other, vpcs={name: replace(vpc, profile=one.vpcs[name].profile) for name, vpc in other.vpcs.items()}
    )
    return one, replace(one, **{part: getattr(other, part) for part in parts})


def lives(world: World, seed: int, count: int = 60) -> Iterator[tuple[Connection, Flow]]:
    """Connections that may live in a world, with their flows; one between two VPCs is in the tables of both."""
    for flow in random_flows(random.Random(seed), world, count):
        port = flow.source_port or 40000
        numbers = (port, flow.service.port or 0) if flow.service.protocol.has_ports else (0, 0)
        ends = flow.source.address, flow.destination.address
        exact = replace(flow, source_port=port) if flow.service.protocol.has_ports else flow
        for vpc in sorted({flow.source.vpc, flow.destination.vpc} - {""}):
            yield Connection(vpc, flow.service.number, *ends, *numbers), exact


def everything(world: World) -> Change:
    """A change that names all there is."""
    return Change(**{part: frozenset(getattr(world, part)) for part in CHANGED})


@LIVE
@example(146, "huawei", {"virtual_ips"}, OnChange.CLEAR_INBOUND)  # an address that a VPC out of reach has as well
@given(SEEDS, CLOUDS, st.sets(st.sampled_from(CHANGED)), st.sampled_from(OnChange))
def test_what_a_change_names_beyond_what_differs_cuts_nothing_more(
    seed: int, cloud: str, parts: set[str], mode: OnChange
) -> None:
    """And what seems too far from the change to be looked at would not have been cut either."""
    before, after = mixed(seed, cloud, parts, {"on_change": mode})
    quick, slow = LiveChange(before, after), LiveChange(before, after, everything(after))
    for live, _ in lives(before, seed):
        cut = quick.cut(live)
        assert (cut is None) is (slow.cut(live) is None)
        assert cut is None or live.vpc in quick.vpcs


@LIVE
@given(SEEDS, CLOUDS, st.sampled_from(OnChange))
def test_a_single_edit_needs_no_comparison_of_worlds(seed: int, cloud: str, mode: OnChange) -> None:
    before, _ = mixed(seed, cloud, set(), {"on_change": mode})
    for edit, after in edits(before, random.Random(seed), 3):
        told, found = LiveChange(before, after, Change.of(edit)), LiveChange(before, after)
        both = [(told.cut(live), found.cut(live)) for live, _ in lives(before, seed)]
        assert [one for one, _ in both] == [other for _, other in both]
        before = after


@LIVE
@given(SEEDS, CLOUDS, st.sets(st.sampled_from(CHANGED), min_size=1))
def test_rejudge_cuts_what_was_allowed_and_is_denied(seed: int, cloud: str, parts: set[str]) -> None:
    """Where both ends are in one VPC or outside, and every stage keeps state, by the evaluator's whole answer."""
    before, after = mixed(seed, cloud, parts - {"virtual_ips"}, {"on_change": OnChange.REJUDGE, "acl_stateful": True})
    change, old, new = LiveChange(before, after), Policy(before), Policy(after)
    for live, flow in lives(before, seed):
        if {flow.source.vpc, flow.destination.vpc} <= {live.vpc, ""}:
            ends = old.evaluate(flow).allowed and not new.evaluate(flow).allowed
            assert (change.cut(live) is not None) is ends, flow


@LIVE
@given(SEEDS, CLOUDS, st.sets(st.sampled_from(CHANGED)))
def test_what_a_port_began_to_somewhere_else_survives(seed: int, cloud: str, parts: set[str]) -> None:
    before, after = mixed(seed, cloud, parts - {"virtual_ips"}, {"on_change": OnChange.CLEAR_INBOUND})
    change = LiveChange(before, after)
    for live, flow in lives(before, seed):
        if flow.destination.vpc != live.vpc:
            assert change.cut(live) is None, flow


@LIVE
@given(SEEDS, CLOUDS, st.sampled_from(OnChange))
def test_another_order_in_the_file_is_no_change(seed: int, cloud: str, mode: OnChange) -> None:
    world, _ = mixed(seed, cloud, set(), {"on_change": mode})
    change = LiveChange(world, shuffled(world, random.Random(seed), memberships=False))
    assert not any(change.cut(live) for live, _ in lives(world, seed))


@LIVE
@given(SEEDS, CLOUDS, st.sets(st.sampled_from(CHANGED)))
def test_keep_cuts_nothing_that_stays_where_it_is(seed: int, cloud: str, parts: set[str]) -> None:
    before, after = mixed(seed, cloud, parts - {"virtual_ips"}, {"on_change": OnChange.KEEP})
    change = LiveChange(before, after)
    assert not any(change.cut(live) for live, _ in lives(before, seed))
