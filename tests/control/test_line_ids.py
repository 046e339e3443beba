"""Ids and names of lines: given once, kept whatever happens around them, and told wherever lines are named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringfence import worldfile
from ringfence.analysis.records.hits import rule_hits
from ringfence.compile.compiler import compile_world
from ringfence.control import basic, lines
from ringfence.control.declaring import apply
from ringfence.control.draft import Draft
from ringfence.control.exporting import world_of
from ringfence.control.ids import IdStyle
from ringfence.control.lines import Line, Place
from ringfence.errors import InvalidFields
from ringfence.model.acl import AclRule
from ringfence.model.flow import Query
from ringfence.model.rule import Direction
from ringfence.policy.evaluate import evaluate
from ringfence.policy.verdict import Stage
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource

from .service import Service, told
from .test_ids import UUID

IN, OUT = Direction.INGRESS, Direction.EGRESS
STYLES = [
    pytest.param(IdStyle.UUID, UUID, id="uuid"),
    pytest.param(IdStyle.PREFIXED, r"nar-[a-z0-9]{17}", id="prefixed"),
    pytest.param(IdStyle.SPEAKING, r"(acr-[0-9a-f]{12}|nar-[a-z0-9]{17})", id="speaking"),
]
KINDS = [
    pytest.param(Kind.ACL, "edge", "in ", id="acl"),
    pytest.param(Kind.VPC, "shop", "in ", id="border"),
    pytest.param(Kind.PEERING, "way", "", id="peering"),
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Service]:
    with Service.fresh(tmp_path) as service:
        for number, name in enumerate(("shop", "ops")):
            service.make(Kind.VPC, name=name, cidrs=[f"10.{number}.0.0/16"])
        service.make(Kind.PEERING, name="way", vpcs=["shop", "ops"])
        service.make(Kind.ACL, name="edge")
        yield service


def line(text: str, name: str = "") -> AclRule:
    return replace(AclRule.parse(text), name=name)


class Lines:
    """The lines of one thing, edited and looked at."""

    def __init__(self, shop: Service, kind: Kind = Kind.ACL, ref: str = "edge", way: str = "in ") -> None:
        self.shop, self.kind, self.ref, self._way = shop, kind, ref, way

    def rule(self, port: int, name: str = "", **more: str) -> AclRule:
        text = f"{more.get('way', self._way)}allow tcp {port} from any to any"
        return replace(line(text, name), given_id=more.get("id", ""))

    def do(self, edit: Callable[..., Resource], *args: Any) -> list[Line]:
        """One edit is one revision."""
        before = self.shop.control.state.revision
        done = lines.lines(self.shop.do(lambda draft: edit(draft, self.kind, self.ref, *args)))
        assert self.shop.control.state.revision == before + 1
        assert done == self.now()
        return done

    def now(self) -> list[Line]:
        found = self.shop.control.state.get(self.kind, self.ref)
        assert found
        return lines.lines(found)


def ids(told: Sequence[Line]) -> list[str]:
    return [it.id for it in told]


def ports(told: Sequence[Line]) -> list[str]:
    return [str(it.rule.ports) for it in told]


@pytest.mark.parametrize(("kind", "ref", "way"), KINDS)
@pytest.mark.parametrize(("style", "pattern"), STYLES)
def test_a_line_keeps_its_id(shop: Service, style: IdStyle, pattern: str, kind: Kind, ref: str, way: str) -> None:
    """When others come before and after it, when it is changed or moved, and until it is removed."""
    its = Lines(shop.acting(ids=style), kind, ref, way)
    rule = its.rule
    first, second = ids(its.do(lines.insert_lines, [rule(1, "one"), rule(2)]))
    front, third = ids(its.do(lines.insert_lines, [rule(3), rule(4)], Place(first=True)))[:2]
    assert all(re.fullmatch(pattern, it) for it in (first, second, front, third))
    after = ids(its.do(lines.insert_lines, [rule(5)], Place(after=first)))
    assert after == [front, third, first, after[3], second]
    changed = its.do(lines.change_line, first, {"ports": rule(6).ports, "enabled": False})
    assert ids(changed) == after
    assert (changed[2].rule.name, str(changed[2].rule)) == ("one", f"{way}allow tcp 6 from any to any disabled")
    renamed = its.do(lines.change_line, 3, {"name": "uno", "description": "the first"})
    assert (renamed[2].rule.name, str(renamed[2].rule)) == ("uno", f'{changed[2].rule} "the first"')
    assert ids(its.do(lines.move, first, Place(before=front))) == [first, front, third, after[3], second]
    assert ids(its.do(lines.remove_lines, [third, after[3]])) == [first, front, second]
    again = its.do(lines.insert_lines, [rule(1), rule(4)])  # as the first two said once
    assert ports(again) == ["6", "3", "2", "1", "4"]
    assert len({*ids(again)}) == 5


@pytest.mark.parametrize(("style", "pattern"), STYLES[:2])
def test_two_lines_that_say_the_same_are_two(shop: Service, style: IdStyle, pattern: str) -> None:
    """Each is changed and removed by its id, and a file keeps them apart."""
    its = Lines(shop.acting(ids=style))
    one, two = ids(its.do(lines.insert_lines, [its.rule(1, "a"), its.rule(1, "b")]))
    assert one != two
    assert re.fullmatch(pattern, two)
    state = shop.control.state
    text = worldfile.dump(world_of(state, "operator"))
    assert worldfile.parse(text, "export") == world_of(state, "operator")
    assert not shop.do(lambda draft: apply(draft, worldfile.parse(text, "export"))).plan.changes
    assert [it.rule.name for it in its.do(lines.change_line, two, {"enabled": False})] == ["a", "b"]
    assert [it.rule.enabled for it in its.now()] == [True, False]
    assert ids(its.do(lines.remove_lines, [one])) == [two]


def test_a_direction_is_replaced_as_a_whole(shop: Service) -> None:
    """A line that brings its id is that one; one that says the same keeps its id; the other direction stays."""
    its = Lines(shop.acting(ids=IdStyle.UUID))
    rule = its.rule
    way_out = {"way": "out "}
    a, b, c, out = ids(its.do(lines.insert_lines, [rule(1), rule(2), rule(3), rule(1, **way_out)]))
    new = [rule(3, "three"), rule(9, id=a), rule(1), rule(3)]
    done = its.do(lines.replace_direction, IN, new)
    assert ports(done) == ["3", "9", "1", "3", "1"]
    assert [done[0].id, done[1].id, done[4].id] == [c, a, out]
    assert len({*ids(done), b}) == 6
    assert ids(its.do(lines.replace_direction, OUT, [])) == ids(done)[:4]


def test_several_edits_of_one_request_are_one_revision(shop: Service) -> None:
    its = Lines(shop.acting(ids=IdStyle.PREFIXED))
    one, two = ids(its.do(lines.insert_lines, [its.rule(1), its.rule(2)]))
    revision = shop.control.state.revision

    def work(draft: Draft) -> None:
        lines.change_line(draft, Kind.ACL, "edge", one, {"name": "x"})
        lines.insert_lines(draft, Kind.ACL, "edge", [its.rule(3)], Place(after=one))
        lines.remove_lines(draft, Kind.ACL, "edge", [two])

    shop.do(work)
    assert (ports(its.now()), shop.control.state.revision) == (["1", "3"], revision + 1)


@pytest.mark.parametrize(
    ("edit", "args", "code", "field"),
    [
        (lines.remove_lines, (["nobody"],), "resource.not_found", "lines.0"),
        (lines.change_line, ("nobody", {}), "resource.not_found", "line"),
        (lines.change_line, (1, {"description": "x" * 513}), "input.notation", "line"),
        (lines.change_line, (1, {"name": "x" * 129}), "input.notation", "line"),
        (
            lines.insert_lines,
            ([line("in allow tcp 2 from any to any")], Place(after="x")),
            "resource.not_found",
            "after",
        ),
        (lines.insert_lines, ([line("in deny udp from l to any")],), "InvalidPrefixListId.NotFound", "address_group"),
        (lines.replace_direction, (IN, [line("out allow all from any to any")]), "world.rule_direction", "lines.0"),
        (
            lines.replace_direction,
            (IN, [replace(line("in allow all from any to any"), given_id="nobody")]),
            "resource.not_found",
            "lines.0",
        ),
    ],
)
def test_refused(shop: Service, edit: Callable[..., Resource], args: Sequence[Any], code: str, field: str) -> None:
    its = Lines(shop.acting(ids=IdStyle.UUID))
    its.do(lines.insert_lines, [its.rule(1)])
    error = its.shop.refused(lambda draft: edit(draft, Kind.ACL, "edge", *args))
    assert isinstance(error, InvalidFields)
    assert told(error) == [(code, field)]


def test_what_a_request_says_of_lines(shop: Service) -> None:
    """Texts, or objects with a name, and with the id of a line that is there: never one of another's, or of none."""
    http, dns = "in allow tcp 80 from any to any", "in allow udp 53 from any to any"
    wire = shop.acting(ids=IdStyle.PREFIXED)
    made = wire.make(Kind.ACL, name="own", rules=[{"rule": http, "name": "web"}, dns])
    first, second = ids(lines.lines(made))
    assert made.shown()["rules"] == [{"id": first, "name": "web", "rule": http}, {"id": second, "rule": dns}]
    assert shop.set(Kind.ACL, made.id, rules=made.shown()["rules"]).value == made.value
    kept = shop.set(Kind.ACL, made.id, rules=[dns, {"id": first, "rule": dns.replace("53", "54")}])
    assert ids(lines.lines(kept)) == [second, first]
    for said in ([{"id": first, "rule": http}], [{"id": "acr-1", "rule": http}]):
        error = shop.refused(lambda draft, said=said: update(draft, "edge", said))  # type: ignore[misc]
        assert told(error) == [("resource.not_found", "rules.0")]
    for wrong in ({"rule": 5}, {"name": "web"}, {"rule": http, "more": "x"}, 5, {"rule": http, "id": "a b"}):
        error = shop.refused(lambda draft, wrong=wrong: update(draft, "edge", [wrong]))  # type: ignore[misc]
        assert [field for _, field in told(error)] == ["rules"]


def update(draft: Draft, ref: str, said: list[Any]) -> Resource:
    return basic.update(draft, Kind.ACL, ref, {"rules": said})


def test_what_was_stored_before_lines_had_ids_is_read_as_it_was() -> None:
    """And is stored again in the same words."""
    common = {"account": "operator", "name": "edge", "description": "", "tags": {}, "protected": False, "created": ""}
    own = {"rules": ["in allow tcp 80 from any to any", "out deny all from any to any"], "vpc": "", "enabled": True}
    text = json.dumps({"id": "edge", "kind": "acl", **common, **own}, separators=(",", ":"))
    read = Resource.parse(text)
    assert [re.fullmatch("acr-[0-9a-f]{12}", it.id) is not None for it in lines.lines(read)] == [True, True]
    assert json.loads(read.text()) == json.loads(text)


def test_traces_counters_and_the_kernels_elements_name_the_line(shop: Service) -> None:
    """Also where another line that says the same stands behind it."""
    wire = shop.acting(ids=IdStyle.UUID)
    for name in ("shop", "ops"):
        said = {"vpc": name, "cidr": f"10.{int(name == 'ops')}.1.0/24", "acl": "edge"}
        shop.make(Kind.SUBNET, name=f"{name}-1", **said)
    its = Lines(wire)
    rules = [its.rule(80), its.rule(80), line("out allow all from any to any")]
    one, two, _ = ids(its.do(lines.insert_lines, rules))
    shop.make(Kind.GROUP, name="g")
    shop.do(lambda draft: [add(draft, text) for text in ("in allow all from any", "out allow all to any")])
    for name in ("shop", "ops"):
        shop.make(Kind.INSTANCE, name=f"{name}-vm", ports=[{"subnet": f"{name}-1", "groups": ["g"]}])
    world = shop.control.state.world
    verdict = evaluate(world, world.flow(Query.parse("shop-vm -> ops-vm tcp/80")))
    assert [step.rule_id for step in verdict.steps if step.stage is Stage.ACL_INGRESS] == [one]
    counted = rule_hits(world, [{one: (3, 300), two: (0, 0)}])
    assert [(it.rule_id, it.packets) for it in counted if it.rule_id in (one, two)] == [(one, 3), (two, 0)]
    gates = [acl.gates[IN] for plan in compile_world(world).vpcs.values() for acl in plan.acls if acl.name == "edge"]
    named = {box.rule_id for gate in gates for layers in gate.values() for layer in layers for box in layer}
    assert one in named


def add(draft: Draft, text: str) -> Resource:
    return basic.create(draft, Kind.RULE, {"group": "g", "rule": text})
