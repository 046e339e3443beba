"""What a picture shows of an answer: nodes, each of ends that fare alike, and what passes between any two of them.

What passes between two nodes passes between each two ends of theirs of a family. Where that takes too many nodes, a
scene says less, and that it does: see `Fold`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from ringfence.analysis.reach.answer import Answer, End, Grade, Kind
from ringfence.analysis.reach.names import INTERNET, LARGEST, OTHERS

FAMILIES = ("ipv4", "ipv6")
_NUMBERS = re.compile(r"(\d{1,9})")
_OF_ONE_FAMILY = {"icmp": "ipv4", "icmpv6": "ipv6"}


class Fold(StrEnum):
    """What a scene puts together that does not fare alike: there a line is what some end may use of some other."""

    NOT = "nothing"
    INTERNET = "internet"
    VPCS = "vpcs"


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """Some services that pass. ``family`` is the only one in which they do where both ends have both, else empty."""

    text: str
    shown: str
    family: str = ""
    grade: Grade = Grade.SOME
    is_risky: bool = False
    """Whether it is, or holds, one of the destination's risky ports."""

    def __str__(self) -> str:
        return f"{self.shown} ({self.family})" if self.family else self.shown


@dataclass(frozen=True, slots=True)
class Node:
    """Ends that fare alike, at most one class of each family beside classes that do the same as it."""

    title: str
    kind: Kind
    vpc: str
    members: tuple[str, ...]
    size: int
    """Addresses, of the family that has more of them; 0 is not told."""
    ends: tuple[End, ...]

    @property
    def families(self) -> frozenset[str]:
        """The families of its ends."""
        return frozenset(end.family for end in self.ends)


@dataclass(frozen=True, slots=True)
class Scene:
    """Nodes, and the lines of what passes from one to another by their places."""

    nodes: tuple[Node, ...]
    cells: Mapping[tuple[int, int], tuple[Line, ...]]
    fold: Fold


_Class = tuple[str, str]
"""A class of ends: family and name."""
_Said = dict[str, tuple[str, Grade, bool]]
"""Services of one cell and one family: how each is shown, and how risky it is."""


def scenes(answer: Answer, most: int) -> Iterator[Scene]:
    """The scenes of an answer that have no more than so many nodes, the most exact first; one of VPCs in any case."""
    for fold in (Fold.NOT, Fold.INTERNET):
        nodes = _folded(answer, fold)
        if len(nodes) <= most:
            yield _scene(answer, nodes, fold)
    yield _scene(answer, _whole(answer.ends), Fold.VPCS)


def _folded(answer: Answer, fold: Fold) -> list[Node]:
    alike: dict[object, list[End]] = {}
    uses = _uses(answer)
    whole = [end for end in answer.ends if fold is Fold.INTERNET and end.kind is Kind.INTERNET]
    for end in answer.ends if not whole else [it for it in answer.ends if it.kind is not Kind.INTERNET]:
        place = (end.kind, end.vpc, end.groups, end.family)
        alike.setdefault((place, uses.get((end.family, end.name), ())), []).append(end)
    return [*_whole(whole), *(_node(ends) for ends in _paired([*alike.values()]))]


def _whole(ends: Iterable[End]) -> list[Node]:
    """A node for each VPC, and one for the internet."""
    found: dict[tuple[Kind, str], list[End]] = {}
    for end in ends:
        found.setdefault((end.kind, end.vpc), []).append(end)
    return [Node(vpc or _TITLES[kind], kind, vpc, (_counted(it),), 0, tuple(it)) for (kind, vpc), it in found.items()]


_TITLES = {Kind.INTERNET: INTERNET, Kind.OTHERS: OTHERS, Kind.INSIDE: "?"}


def _counted(ends: list[End]) -> str:
    return f"{len(ends)} kind{'s' * (len(ends) > 1)} of ends"


def _uses(answer: Answer) -> dict[_Class, tuple[tuple[int, bool], ...]]:
    """The ways that each class is in, and on which side: all that its row and its column say."""
    found: dict[_Class, list[tuple[int, bool]]] = {}
    for number, way in enumerate(answer.ways):
        for side, names in ((False, way.sources), (True, way.destinations)):
            for name in names:
                found.setdefault((way.family, name), []).append((number, side))
    return {of: tuple(places) for of, places in found.items()}


# ---- nodes


def _paired(classes: list[list[End]]) -> list[list[End]]:
    """IPv4's and IPv6's ends of the same groups together, where it is plain which belong to which."""
    left: dict[object, list[list[End]]] = {}
    times = Counter((_place(each), each[0].family) for each in classes)
    found = [each for each in classes if each[0].family == FAMILIES[0]]
    for each in found:
        left.setdefault(_place(each), []).append(each)
    for each in classes:
        if each[0].family == FAMILIES[0]:
            continue
        among = left.get(_place(each), [])
        partner = max(among, key=lambda one: _common(one, each), default=None)
        if partner and (_common(partner, each) or len(among) == 1 == times[_place(each), each[0].family]):
            among.remove(partner)
            partner += each
        else:
            found.append(each)
    return found


def _place(ends: list[End]) -> object:
    return ends[0].kind, ends[0].vpc, ends[0].groups


def _common(one: list[End], two: list[End]) -> int:
    """How much speaks for two being the same: members, or being all that there is of the outside."""
    members = {name for end in one for name in end.members} & {name for end in two for name in end.members}
    return len(members) + (_is_rest(one) and _is_rest(two))


def _is_rest(ends: list[End]) -> bool:
    return any(end.kind is Kind.INTERNET and end.name == LARGEST for end in ends)


def _node(ends: list[End]) -> Node:
    first = ends[0]
    members = dict.fromkeys(name for end in ends for name in end.members)
    sizes = [sum(end.size for end in ends if end.family == family) for family in FAMILIES]
    if first.kind is Kind.INSIDE:
        title = " + ".join(first.groups)
    elif first.kind is Kind.OTHERS or _is_rest(ends):
        title = _TITLES[first.kind]
    else:
        title = ", ".join(dict.fromkeys(end.name.partition(" (")[0] for end in ends))
    return Node(title, first.kind, first.vpc, tuple(members), max(sizes) * (first.kind is Kind.INSIDE), tuple(ends))


# ---- cells


def _scene(answer: Answer, nodes: list[Node], fold: Fold) -> Scene:
    nodes = sorted(nodes, key=lambda it: (it.kind is not Kind.INTERNET, it.kind is Kind.OTHERS, it.vpc, *_name(it)))
    at = {(end.family, end.name): place for place, node in enumerate(nodes) for end in node.ends}
    said: dict[tuple[int, int], dict[str, _Said]] = {}
    for way in answer.ways:
        shown = zip(way.services, way.short, strict=True)
        told = {text: (short, way.grade, _is_risky(text, way.risky)) for text, short in shown}
        sources, destinations = ({at[way.family, name] for name in side} for side in (way.sources, way.destinations))
        for pair in product(sources, destinations):
            said.setdefault(pair, {}).setdefault(way.family, {}).update(told)
    cells = {pair: _lines(nodes[pair[0]], nodes[pair[1]], it) for pair, it in sorted(said.items())}
    return Scene(tuple(nodes), cells, fold)


def _name(node: Node) -> tuple[list[tuple[int, str]], tuple[str, ...], tuple[str, ...]]:
    """By what it is called, ``sg-2`` before ``sg-10``."""
    title = [(int(part) if part.isdecimal() else -1, part) for part in _NUMBERS.split(node.title)]
    return title, node.members, tuple(end.name for end in node.ends)


def _is_risky(text: str, risky: Iterable[str]) -> bool:
    protocol = text.partition(" ")[0]
    return any(protocol in ("all", it.partition(" ")[0]) for it in risky)


def _lines(one: Node, two: Node, said: Mapping[str, _Said]) -> tuple[Line, ...]:
    both = one.families & two.families
    found = dict.fromkeys((text, *what) for told in said.values() for text, what in told.items())
    lines = []
    for text, shown, grade, is_risky in found:
        within = [family for family, told in said.items() if told.get(text) == (shown, grade, is_risky)]
        alone = len(both) > 1 == len(within) and _OF_ONE_FAMILY.get(text.partition(" ")[0]) != within[0]
        lines.append(Line(text, shown, within[0] if alone else "", grade, is_risky))
    return tuple(lines)
