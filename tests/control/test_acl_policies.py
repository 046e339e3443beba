"""ACL policies: an ACL has the rules of its policies whatever becomes of them, and nobody else changes those."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.control import basic, lines, reverting
from ringfence.control.acl_policies import BOUND, bind, policy_of
from ringfence.control.draft import Draft
from ringfence.errors import RingfenceError
from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.rule import Direction
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource

from .service import Service, told

IN, OUT = Direction.INGRESS, Direction.EGRESS


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Service]:
    with Service.fresh(tmp_path) as service:
        service.make(Kind.ACL, name="edge", rules=["out allow udp 53 from any to any", "in deny tcp 1 from any to any"])
        yield service


def line(edge: Service, port: int) -> str:
    """The id of a new line by itself."""
    return edge.make(Kind.ACL_LINE, name=f"p{port}", rule=f"allow tcp {port} from any to any").id


def rules(edge: Service, acl: str = "edge") -> list[str]:
    """What an ACL says, in both views: of the resource and of the world that is enforced."""
    kept = cast("NetworkAcl", cast("Resource", edge.control.state.get(Kind.ACL, acl)).value).rules
    assert edge.control.state.world.acls[acl].rules == kept
    assert len({rule.id_in(acl) for rule in kept}) == len(kept)
    return [rule.key for rule in kept]


def test_an_acl_follows_its_policy_and_lines_and_keeps_what_is_its_own(edge: Service) -> None:
    web, dns = line(edge, 80), line(edge, 53)
    edge.make(Kind.ACL_POLICY, name="web", rules=[web], ingress_of=["edge"])
    own = "out allow udp 53 from any to any"
    assert rules(edge) == ["in allow tcp 80 from any to any", own]
    edge.set(Kind.ACL_LINE, web, rule="deny tcp 81 from any to any")
    assert rules(edge) == ["in deny tcp 81 from any to any", own]
    edge.set(Kind.ACL_POLICY, "web", rules=[dns, web], egress_of=["edge"])
    two = ["allow tcp 53 from any to any", "deny tcp 81 from any to any"]
    assert rules(edge) == [f"{way} {each}" for way in ("in", "out") for each in two]
    assert policy_of(edge.control.state, "edge", OUT) == "web"
    edge.set(Kind.ACL_POLICY, "web", ingress_of=[], egress_of=[])
    assert rules(edge) == []
    edge.set(Kind.ACL, "edge", rules=[own])
    assert rules(edge) == [own]


def test_an_address_group_goes_with_the_lines_that_name_it(edge: Service) -> None:
    edge.make(Kind.ADDRESS_GROUP, name="offices", entries=["203.0.113.0/24"])
    named = edge.make(Kind.ACL_LINE, rule="allow tcp 22 from offices to any").id
    edge.make(Kind.ACL_POLICY, name="web", rules=[named, line(edge, 80)], ingress_of=["edge"])
    assert rules(edge)[0] == "in allow tcp 22 from offices to any"
    assert told(edge.refused(lambda draft: basic.delete(draft, Kind.ADDRESS_GROUP, "offices"))) == [
        ("resource.in_use", "id")
    ]
    edge.delete(Kind.ADDRESS_GROUP, "offices", force=True)
    assert rules(edge) == ["in allow tcp 80 from any to any", "out allow udp 53 from any to any"]
    assert edge.control.state.get(Kind.ACL_LINE, named) is None


def _put(kind: Kind, ref: str, **said: Any) -> Callable[[Draft], object]:
    return lambda draft: basic.update(draft, kind, ref, said)


def test_what_would_part_an_acl_from_its_policy_is_refused(edge: Service) -> None:
    web = line(edge, 80)
    edge.make(Kind.ACL_POLICY, name="web", rules=[web], ingress_of=["edge"])
    edge.make(Kind.ACL_POLICY, name="other")
    rule = AclRule.parse("in allow tcp 7 from any to any")
    table: list[tuple[Callable[[Draft], object], tuple[str, str]]] = [
        (_put(Kind.ACL, "edge", rules=[]), (BOUND, "rules")),
        (lambda draft: lines.insert_lines(draft, Kind.ACL, "edge", [rule]), (BOUND, "rules")),
        (lambda draft: lines.remove(draft, Kind.ACL, "edge", 1), (BOUND, "rules")),
        (_put(Kind.ACL_POLICY, "other", ingress_of=["edge"]), (BOUND, "ingress_of")),
        (lambda draft: basic.delete(draft, Kind.ACL_POLICY, "web"), ("resource.in_use", "id")),
        (lambda draft: basic.delete(draft, Kind.ACL_LINE, web), ("resource.in_use", "id")),
        (lambda draft: basic.delete(draft, Kind.ACL, "edge"), ("resource.in_use", "id")),
        (_put(Kind.ACL_POLICY, "web", rules=["none"]), ("resource.not_found", "rules")),
        (_put(Kind.ACL_POLICY, "web", egress_of=["none"]), ("resource.not_found", "egress_of")),
        (_put(Kind.ACL_LINE, web, rule="in allow tcp 1 from any to any"), ("input.notation", "rule")),
        (_put(Kind.ACL_POLICY, "web", rules=[web, web]), ("input.notation", "acl_policy")),
    ]
    for work, expected in table:
        assert told(edge.refused(work)) == [expected]
    new = "out deny tcp 9 from any to any"
    edge.do(lambda draft: lines.insert(draft, Kind.ACL, "edge", new, lines.Place(first=True)))
    assert new in rules(edge)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("bind"), st.sampled_from([(n, d) for n in range(2) for d in (IN, OUT)]), st.integers(0, 2)),
        st.tuples(st.just("rules"), st.integers(0, 1), st.lists(st.integers(0, 3), unique=True)),
        st.tuples(st.just("line"), st.integers(0, 3), st.integers(1, 9)),
        st.tuples(st.just("back"), st.just(0), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_done_an_acl_says_what_its_policies_do(edge: Service, steps: list[tuple[Any, ...]]) -> None:
    acls = [edge.make(Kind.ACL) for _ in range(2)]
    ids = [line(edge, 1000 + number) for number in range(4)]
    policies = [edge.make(Kind.ACL_POLICY).id for _ in range(2)]
    made = edge.control.state.revision
    for what, one, two in steps:
        if what == "bind":
            edge.do(partial(bind, acl=acls[one[0]], direction=one[1], policy=[*policies, ""][two]))
        elif what == "rules":
            edge.set(Kind.ACL_POLICY, policies[one], rules=[ids[number] for number in two])
        elif what == "line":
            edge.set(Kind.ACL_LINE, ids[one], rule=f"deny udp {two} from any to any")
        elif edge.control.state.revision > made:
            try:
                last = reverting.revision_of(edge.control.store, edge.control.state.revision)
                edge.do(partial(reverting.revert, revision=last))
            except RingfenceError:
                continue  # taking back the making of what is used
        assert [rules(edge, acl.id) for acl in acls] == [_wanted(edge, acl.id) for acl in acls]


def _wanted(edge: Service, acl: str) -> list[str]:
    state, found = edge.control.state, []
    for direction in (IN, OUT):
        bound = state.get(Kind.ACL_POLICY, policy_of(state, acl, direction))
        for id_ in bound.as_json()["rules"] if bound else ():
            said = cast("Resource", state.get(Kind.ACL_LINE, id_)).as_json()
            found.append(f"{direction.word} {said['rule']}")
    return found
