"""Answers and pictures say what Reach says, no more and no less; a picture can be read, and is the same every time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, pairwise, product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from ringfence.analysis.picture.edges import edges, loops
from ringfence.analysis.picture.folding import Fold, Scene, scenes
from ringfence.analysis.picture.frame import Caption
from ringfence.analysis.picture.graph import MOST_EDGES, MOST_NODES, Drawing, graph
from ringfence.analysis.picture.heatmap import HeatMap, class_of, heatmap
from ringfence.analysis.picture.layers import ANYWHERE
from ringfence.analysis.picture.svg import text_width
from ringfence.analysis.reach.answer import Answer, End, Grade, Kind, Passage
from ringfence.analysis.reach.ends import EndClass
from ringfence.analysis.reach.names import LARGEST
from ringfence.analysis.reach.reach import Reach
from ringfence.analysis.reach.telling import answer
from ringfence.model.flow import Query
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.model.service import PortRange, Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.worldfile import read
from tests.full_worlds import full_worlds
from tests.rules import SOURCES
from tests.worlds import random_world

SVG = "{http://www.w3.org/2000/svg}"
EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SHOWN = ("three-tier", "web-site", "databases", "group-to-group", "same-group-two-vpcs-peered", "virtual-ip")
ALL = 10**6

Cells = dict[tuple[End, End], tuple[str, ...]]


def some_worlds(seed: int) -> World:
    return random_world(random.Random(seed), [HUAWEI, ALIBABA][seed % 2])


def example(name: str) -> Answer:
    return answer(Reach(read(EXAMPLES / f"{name}.yaml")))


# ---- answers


def told(found: Answer) -> Cells:
    """What passes between each two ends, by an answer."""
    named = {(end.family, end.name): end for end in found.ends}
    assert len(named) == len(found.ends), "two ends have one name"
    cells: Cells = {}
    for way in found.ways:
        for one, two in product(way.sources, way.destinations):
            pair = named[way.family, one], named[way.family, two]
            assert pair not in cells, "two ways have a pair in common"
            cells[pair] = way.services
    return cells


def standing_for(found: Answer, of: EndClass) -> list[End]:
    """The ends that may stand for a class: parts of the internet that fare alike are one."""
    same = (it for it in found.ends if it.family == str(of.family))
    if of.is_outside:
        return [it for it in same if it.kind is Kind.INTERNET and (of.label in it.name or it.name == LARGEST)]
    return [it for it in same if it.name == of.label]


def check_answer(world: World) -> None:
    reach = Reach(world)
    found = answer(reach)
    cells, ends = told(found), set(found.ends)
    for one in reach.classes:
        others = [it for it in reach.classes if it.family is one.family and not (it.is_outside and one.is_outside)]
        rows = [
            (standing_for(found, two), reach.between(one, two).lines, reach.between(two, one).lines)
            for two in others
            if two is not one
        ]
        fitting = [
            end
            for end in standing_for(found, one)
            if all(any(cells.get((end, it), ()) == to and cells.get((it, end), ()) == back for it in ends_of_two)
                   for ends_of_two, to, back in rows)
        ]  # fmt: skip
        assert fitting, f"nothing fares as {one}"
        ends -= set(fitting)
    assert not ends, f"nobody is {ends}"
    check_ways(world, found)


def check_ways(world: World, found: Answer) -> None:
    """Each example passes, between the ends that it is an example of; grades are by what brute force finds."""
    policy, reach = Policy(world), Reach(world)
    for way in found.ways:
        flow = world.flow(Query.parse(way.example))
        assert policy.evaluate(flow).allowed, way
        ends = reach.at(flow.source), reach.at(flow.destination)
        assert ends[0]
        assert ends[1]
        assert any(it.name in way.sources for it in standing_for(found, ends[0]))
        assert any(it.name in way.destinations for it in standing_for(found, ends[1]))
        services, port = reach.between(ends[0], ends[1]), world.port_at(flow.destination)
        listed = world.vpcs[port.vpc].profile.risky_ports.ranges if port else ()
        risky = any(services.covers(*it) for protocol, ports in listed for it in asked(str(protocol), ports))
        assert risky == bool(way.risky)
        assert way.grade is not Grade.RISKY or risky
        assert way.grade is not Grade.SOME or not risky


def asked(protocol: str, ports: PortRange) -> Iterator[tuple[Service, int]]:
    return ((Service.parse(f"{protocol}/{port}"), it) for port in range(ports.first, ports.last + 1) for it in SOURCES)


@pytest.mark.parametrize("seed", range(8))
def test_an_answer_is_what_reach_says_of_worlds_with_many_rules(seed: int) -> None:
    check_answer(some_worlds(seed))


def test_everything_is_what_platform_and_carriers_leave() -> None:
    ways = example("same-group-two-vpcs-peered").ways
    assert {way.grade for way in ways if way.services[0].startswith("all but tcp 25")} == {Grade.ALL}
    assert {way.grade for way in ways if way.services == ("tcp 3306",)} == {Grade.SOME}


def test_an_answer_comes_back_from_json_and_is_in_order() -> None:
    for found in map(example, SHOWN):
        assert Answer.of_json(found.as_json()) == found
        outside = {it.name for it in found.ends if it.kind is Kind.INTERNET}
        comes = [way.sources[0] in outside for way in found.ways]
        assert comes == sorted(comes, reverse=True)
        first = [way.grade.rank for way in found.ways if way.sources[0] in outside]
        assert first == sorted(first, reverse=True)


# ---- scenes


def of_scene(scene: Scene) -> Cells:
    """What passes between each two ends, by a scene."""
    cells: Cells = {}
    for (one, two), lines in scene.cells.items():
        for first, second in product(scene.nodes[one].ends, scene.nodes[two].ends):
            texts = tuple(it.text for it in lines if is_of(it.text, it.family, first.family))
            if first.family == second.family and texts:
                cells[first, second] = texts
    return cells


def is_of(text: str, family: str, wanted: str) -> bool:
    own = {"icmp": "ipv4", "icmpv6": "ipv6"}.get(text.split()[0], wanted)
    return family in ("", wanted) and own == wanted


def check_scene(world: World) -> None:
    found = answer(Reach(world))
    scene = next(scenes(found, ALL))
    assert scene.fold is Fold.NOT
    assert sorted(end.name for node in scene.nodes for end in node.ends) == sorted(end.name for end in found.ends)
    assert {pair: sorted(it) for pair, it in of_scene(scene).items()} == {
        pair: sorted(it) for pair, it in told(found).items()
    }
    drawn = {pair: edge.lines for edge in edges(scene) for pair in edge.pairs}
    assert sum(len(edge.pairs) for edge in edges(scene)) == len(drawn), "a cell is drawn twice"
    assert drawn | {(one, one): lines for one, lines in loops(scene).items()} == scene.cells
    check_drawing(Drawing(scene))
    check_graph(found, scene)
    check_heatmap(heatmap(found, Caption("world")), scene)


def check_drawing(drawing: Drawing) -> None:
    """No two boxes overlap, nor does a line run through one; what is of a VPC lies in its band."""
    passing = [it for route in drawing.plan.routes for it in route[1:-1]]
    boxes = [*drawing.cards, *drawing.chips, *passing]
    for one, two in combinations(boxes, 2):
        if one.column == two.column:
            assert abs(one.y - two.y) >= (one.height + two.height) / 2 - 0.2
    columns = drawing.plan.columns
    assert all(one.right < two.left for one, two in pairwise(columns))
    for each in boxes:
        assert each.width <= columns[each.column].width + 0.01
        top, bottom = drawing.plan.bands[each.band] if each.band != ANYWHERE else (0, drawing.plan.height)
        assert top - 0.2 <= each.top
        assert each.top + each.height <= bottom + 0.2


def check_graph(found: Answer, scene: Scene) -> None:
    """The graph, where it is exact, has a box for each end, and the services of each edge."""
    root = ElementTree.fromstring(graph(found, Caption("world")))
    titles = [it.findtext(f"{SVG}title", "") for it in root.iter(f"{SVG}g") if it.get("class") == "end"]
    services = [it for it in root.iter(f"{SVG}g") if it.get("class") == "service"]
    if len(services) == len(edges(scene)):
        assert all(any(end.name in title for title in titles) for node in scene.nodes for end in node.ends)
    else:
        assert next(scenes(found, ALL)).nodes[MOST_NODES:] or len(edges(scene)) > MOST_EDGES


def check_heatmap(text: str, scene: Scene) -> None:
    drawn = HeatMap(scene)
    (wide, high), left, top = drawn.cell, drawn.left, drawn.top
    found: dict[tuple[int, int], str] = {}
    for each in ElementTree.fromstring(text).iter(f"{SVG}rect"):
        place = tuple(float(each.get(name, "")) for name in ("x", "y", "width", "height"))
        if each.get("class") in ("some", "risky", "every") and place[0] >= left - 1 and place[3] == high:
            row, column = round((place[1] - top) / high), round((place[0] - left) / wide)
            if row < len(scene.nodes):
                found |= {(row, column + it): each.get("class", "") for it in range(round(place[2] / wide))}
    assert found == {pair: class_of(lines) for pair, lines in scene.cells.items()}


@settings(max_examples=8, deadline=None)
@given(full_worlds())
def test_answers_and_pictures_are_what_reach_says(world: World) -> None:
    check_answer(world)
    check_scene(world)


@pytest.mark.parametrize("seed", range(4))
def test_pictures_are_what_reach_says_of_worlds_with_many_rules(seed: int) -> None:
    check_scene(some_worlds(seed))


@pytest.mark.parametrize("name", SHOWN)
def test_pictures_of_examples(name: str) -> None:
    check_scene(read(EXAMPLES / f"{name}.yaml"))
    assert graph(example(name), Caption(name)) == graph(Answer.of_json(example(name).as_json()), Caption(name))


# ---- what a picture may hold


EVIL = "</title><script>alert(1)</script>&amp;\"'\x00\x1b\ufffe\ud800" + "w" * 300


def evil() -> Answer:
    """An answer in whose names there is everything that XML and layouts mind."""
    found = example("three-tier")
    names = {end.name: f"{end.name} {EVIL}" for end in found.ends}

    def renamed(side: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names[name] for name in side)

    ends = (
        replace(it, name=names[it.name], vpc=it.vpc and EVIL, groups=(*it.groups, EVIL), members=(EVIL, *it.members))
        for it in found.ends
    )
    ways = (replace(it, sources=renamed(it.sources), destinations=renamed(it.destinations)) for it in found.ways)
    return Answer(tuple(ends), tuple(ways))


@pytest.mark.parametrize("draw", [graph, heatmap])
def test_names_do_no_harm(draw: Callable[[Answer, Caption], str]) -> None:
    text = draw(evil(), Caption(EVIL, EVIL))
    root = ElementTree.fromstring(text)
    assert {it.tag.removeprefix(SVG) for it in root.iter()} <= {
        *("svg", "title", "desc", "style", "rect", "text", "path", "g"),
    }
    assert EVIL[:35] in root.findtext(f"{SVG}title", "")
    assert root.findtext(f"{SVG}desc")
    for forbidden in ("href", "url(", "@import", "<script", "onload"):
        assert forbidden not in text
    width = float(root.get("width", ""))
    for each in root.iter(f"{SVG}text"):
        room = text_width("".join(each.itertext()), float(each.get("font-size", "")))
        assert room < width
    check_drawing(Drawing(next(scenes(evil(), ALL))))


@pytest.mark.parametrize("draw", [graph, heatmap])
def test_texts_fit_their_boxes(draw: Callable[[Answer, Caption], str]) -> None:
    """Of each node and each service, by the widths that texts have in the widest of the usual fonts."""
    for found in (*map(example, SHOWN), evil()):
        root = ElementTree.fromstring(draw(found, Caption("world")))
        for each in root.iter(f"{SVG}g"):
            frame, texts = each.find(f"{SVG}rect"), each.findall(f"{SVG}text")
            for text in texts if frame is not None and each.get("class") in ("end", "service") else ():
                assert frame is not None
                wide = text_width("".join(text.itertext()), float(text.get("font-size", "")))
                assert wide <= float(frame.get("width", "")), ElementTree.tostring(text)


def grown(groups: int, parts: int) -> Answer:
    """An answer about so many groups, each open to a part of the internet and to the next one."""
    inside = [
        End(f"g{it}", "ipv4", Kind.INSIDE, f"vpc-{it % 2}", (f"g{it}",), (f"vm-{it}",), 1) for it in range(groups)
    ]
    outside = [End(f"part {it}", "ipv4", Kind.INTERNET, size=9) for it in range(parts)]
    ways = [way(outside[it % parts].name, inside[it].name, f"tcp {1000 + it}") for it in range(groups)]
    ways += [way(one.name, two.name, "udp 53") for one, two in pairwise(inside)]
    return Answer((*inside, *outside), tuple(ways))


def way(source: str, destination: str, service: str) -> Passage:
    return Passage((source,), (destination,), "ipv4", (service,), Grade.SOME)


@pytest.mark.parametrize(
    ("groups", "parts", "folds"),
    [
        (30, 5, (Fold.NOT, Fold.NOT)),
        (30, 30, (Fold.INTERNET, Fold.NOT)),
        (60, 2, (Fold.VPCS, Fold.NOT)),
        (300, 200, (Fold.VPCS, Fold.INTERNET)),
        (500, 2, (Fold.VPCS, Fold.VPCS)),
    ],
)
def test_what_is_too_much_is_put_together_and_said(groups: int, parts: int, folds: tuple[Fold, Fold]) -> None:
    found = grown(groups, parts)
    for draw, fold in zip((graph, heatmap), folds, strict=True):
        texts = " ".join(ElementTree.fromstring(draw(found, Caption("world"))).itertext())
        assert ("shown as one" in texts, "VPCs are shown whole" in texts) == (fold is Fold.INTERNET, fold is Fold.VPCS)
        assert "--from" in texts or fold is Fold.NOT


def test_a_large_heat_map_says_it_in_runs() -> None:
    found = grown(90, 9)
    pairs = [(one, two) for one, two in combinations(range(90), 2) if two > one + 1 and one * two % 7 < 3]
    wide = Answer(found.ends, (*found.ways, *(way(f"g{one}", f"g{two}", "tcp 9") for one, two in pairs)))
    text = heatmap(wide, Caption("world"))
    check_heatmap(text, next(scenes(wide, ALL)))
    assert text.count("<rect") < len(wide.ways) * 0.7


def test_whole_vpcs_have_all_that_any_end_of_theirs_may() -> None:
    scene = [*scenes(grown(4, 2), 0)][-1]
    titles = {(scene.nodes[one].title, scene.nodes[two].title): lines for (one, two), lines in scene.cells.items()}
    assert {pair: {it.text for it in lines} for pair, lines in titles.items()} == {
        ("internet", "vpc-0"): {"tcp 1000", "tcp 1002"},
        ("internet", "vpc-1"): {"tcp 1001", "tcp 1003"},
        ("vpc-0", "vpc-1"): {"udp 53"},
        ("vpc-1", "vpc-0"): {"udp 53"},
    }
