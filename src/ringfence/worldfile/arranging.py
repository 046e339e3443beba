"""Which items of a list stay, which say something else now, and which are new: the least that must be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

_FEW = 3
Parts = Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A list as it should be: the numbers of old items, and values that are new; ``changed`` by number say another."""

    order: Sequence[int | New]
    changed: Mapping[int, Any]


@dataclass(frozen=True, slots=True)
class New:
    """A value that no old item has or can be changed to."""

    value: Any


def arranged(have: Sequence[Hashable], want: Sequence[Hashable], parts: Parts | None, *, ordered: bool) -> Arrangement:
    """How items that mean ``have`` become those that mean ``want``.

    Items are changed into others that differ little in ``parts``, if they have any. Unless they are ``ordered``, items
    stay in their places and new ones follow.
    """
    return (_sequence if ordered else _bag)(have, want, parts)


def _bag(have: Sequence[Hashable], want: Sequence[Hashable], parts: Parts | None) -> Arrangement:
    missing = Counter(want)
    free = []
    for index, value in enumerate(have):
        if missing[value]:
            missing[value] -= 1
        else:
            free.append(index)
    come = list(missing.elements())
    pairs = _pairs(have, free, come, parts)
    changed = {index: come[place] for index, place in pairs}
    gone = set(free) - changed.keys()
    stay = [index for index in range(len(have)) if index not in gone]
    used = {place for _, place in pairs}
    return Arrangement([*stay, *(New(value) for place, value in enumerate(come) if place not in used)], changed)


def _sequence(have: Sequence[Hashable], want: Sequence[Hashable], parts: Parts | None) -> Arrangement:
    order: list[int | New] = [New(value) for value in want]
    gaps = []
    for tag, low, high, start, stop in SequenceMatcher(None, have, want, autojunk=False).get_opcodes():
        if tag == "equal":
            order[start:stop] = range(low, high)
        elif tag == "replace":
            gaps.append((low, high, start, stop))
    kept = {each for each in order if isinstance(each, int)}
    free = [index for index in range(len(have)) if index not in kept]
    for place, value in enumerate(want):
        moved = next((index for index in free if isinstance(order[place], New) and have[index] == value), None)
        if moved is not None:
            order[place] = moved
            free.remove(moved)
    changed: dict[int, Any] = {}
    for low, high, start, stop in gaps:
        inside = [index for index in free if low <= index < high]
        places = [place for place in range(start, stop) if isinstance(order[place], New)]
        last = -1
        for index, nth in sorted(_pairs(have, inside, [want[place] for place in places], parts)):
            if nth > last:
                order[places[nth]], changed[index], last = index, want[places[nth]], nth
    return Arrangement(order, changed)


def _pairs(have: Sequence[Any], free: Sequence[int], come: Sequence[Any], parts: Parts | None) -> list[tuple[int, int]]:
    """Which item could become which newcomer (by its place), the most alike first."""
    if parts is None or len(free) * len(come) > 10_000:
        return []
    olds, news = [parts(have[index]) for index in free], [parts(value) for value in come]
    costs = [(_unlike(old, new), one, two) for one, old in enumerate(olds) for two, new in enumerate(news)]
    found: dict[int, int] = {}
    for cost, one, two in sorted(costs):
        if cost <= _FEW and one not in found and two not in found.values():
            found[one] = two
    return [(free[one], two) for one, two in found.items()]


def _unlike(one: Mapping[str, Any], two: Mapping[str, Any]) -> int:
    """In how many keys two things differ; too many if that is more than half of them, or the direction."""
    keys = one.keys() | two.keys()
    differing = sum(one.get(key) != two.get(key) for key in keys)
    return differing if differing <= len(keys) // 2 and one.get("direction") == two.get("direction") else _FEW + 1
