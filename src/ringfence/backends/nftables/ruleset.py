"""A table of nftables as a value: chains, sets and maps, and the difference between two of them as nft commands."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, TypeVar

from ringfence.compile.boxes import Interval


class Field(StrEnum):
    """The nftables type of one part of a key."""

    LINK = "ifname"
    MARK = "mark"
    IPV4 = "ipv4_addr"
    IPV6 = "ipv6_addr"
    PROTOCOL = "inet_proto"
    SERVICE = "inet_service"


K = TypeVar("K")
T = TypeVar("T")
_PART = 1 << 20  # characters in one transaction of what nothing refers to yet
Pair = tuple[T | None, T | None]
"""A thing as it was and as it is; None is nothing."""

Key = tuple[Interval | str, ...]
"""One part a field: a link's name, or first and last value."""


class Element(NamedTuple):
    """What an element holds beside its key: the value of a map (empty in a set) and a comment."""

    value: str
    comment: str


@dataclass(frozen=True, slots=True)
class NftSet:
    """A set, or a map if ``value_type`` says of what. Interval maps count hits for each element."""

    fields: tuple[Field, ...]
    value_type: str = ""
    interval: bool = False
    elements: dict[Key, Element] = field(default_factory=dict)

    @property
    def declaration(self) -> str:
        """What follows its name when it is added."""
        data = f" : {self.value_type}" if self.value_type else ""
        flags = " flags interval; counter;" if self.interval else ""
        return f"{{ type {' . '.join(self.fields)}{data};{flags} }}"

    @property
    def word(self) -> str:
        """``map`` or ``set``."""
        return "map" if self.value_type else "set"


class Hook(NamedTuple):
    """Where a base chain hangs; its policy is always drop."""

    name: str
    priority: int


class NftRule(NamedTuple):
    """A rule. Its comment identifies it when it is read back: what it decides for, and a digest of its text."""

    text: str
    comment: str

    @classmethod
    def of(cls, text: str, decides_for: str = "-") -> NftRule:
        """A rule with the comment made."""
        return cls(text, f"{decides_for} {hashlib.sha256(text.encode()).hexdigest()[:8]}")


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain; with a hook it is a base chain."""

    rules: tuple[NftRule, ...]
    hook: Hook | None = None

    @property
    def comments(self) -> tuple[str, ...]:
        """What it is compared by: the text of a rule does not read back as it was written."""
        return tuple(rule.comment for rule in self.rules)

    @property
    def declaration(self) -> str:
        """What follows its name when it is added."""
        if not self.hook:
            return ""
        return f" {{ type filter hook {self.hook.name} priority {self.hook.priority}; policy drop; }}"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The content of one table of the inet family. Whoever rendered it may let it follow the changes of the table."""

    sets: dict[str, NftSet] = field(default_factory=dict)
    chains: dict[str, Chain] = field(default_factory=dict)
    helpers: frozenset[str] = frozenset()
    """The conntrack helpers that rules assign, by the names that kernel and table have for them: ``ftp``."""

    def follow(self, change: RulesetChange) -> None:
        """Become what the change leads to, at the cost of the change; it must not touch the helpers."""
        assert change.helpers == (None, None)
        _follow(self.sets, change.sets)
        _follow(self.chains, change.chains)
        for name, elements in change.elements.items():
            _follow(self.sets[name].elements, elements.pairs)


STRANGE = Ruleset(helpers=frozenset({""}))
"""What a table holds that is not declared as ours is: to become any other it is made anew."""


def _follow(things: dict[K, T], pairs: Mapping[K, Pair[T]]) -> None:
    for key, (_, after) in pairs.items():
        if after is None:
            things.pop(key, None)
        else:
            things[key] = after


def skeleton(ruleset: Ruleset) -> Ruleset:
    """Its rules and what they refer to, without elements and hooks: nothing comes by."""
    sets = {name: replace(it, elements={}) for name, it in ruleset.sets.items()}
    return Ruleset(sets, {name: replace(chain, hook=None) for name, chain in ruleset.chains.items()}, ruleset.helpers)


class Elements(NamedTuple):
    """Elements of one set that come, go or say something else."""

    fields: tuple[Field, ...]
    pairs: Mapping[Key, Pair[Element]]


@dataclass(frozen=True, slots=True)
class RulesetChange:
    """What is different between two contents of a table."""

    sets: Mapping[str, Pair[NftSet]] = field(default_factory=dict)
    """Those that come or go, whole."""
    chains: Mapping[str, Pair[Chain]] = field(default_factory=dict)
    elements: Mapping[str, Elements] = field(default_factory=dict)
    """Of sets that stay, by their names."""
    helpers: Pair[frozenset[str]] = (None, None)

    def __bool__(self) -> bool:
        return bool(self.sets or self.chains or self.elements or self.helpers != (None, None))


def between(old: Ruleset, new: Ruleset) -> RulesetChange:
    """The change that makes the one the other; what both have must be declared alike."""
    sets = _pairs(old.sets, new.sets)
    staying = {name: (before, after) for name, (before, after) in sets.items() if before and after}
    elements = {
        name: Elements(after.fields, _element_pairs(before, after)) for name, (before, after) in staying.items()
    }
    return RulesetChange(
        {name: pair for name, pair in sets.items() if None in pair},
        {name: pair for name, pair in _pairs(old.chains, new.chains).items() if not same_rules(*pair)},
        {name: found for name, found in elements.items() if found.pairs},
        (old.helpers, new.helpers) if old.helpers != new.helpers else (None, None),
    )


def _pairs(old: Mapping[str, T], new: Mapping[str, T]) -> dict[str, Pair[T]]:
    changed: dict[str, Pair[T]] = {name: (old.get(name), it) for name, it in new.items() if old.get(name) is not it}
    return changed | {name: (it, None) for name, it in old.items() if name not in new}


def _element_pairs(old: NftSet, new: NftSet) -> dict[Key, Pair[Element]]:
    before, after = old.elements, new.elements
    changed: dict[Key, Pair[Element]] = {
        key: (before.get(key), element) for key, element in after.items() if before.get(key) != element
    }
    return changed | {key: (element, None) for key, element in before.items() if key not in after}


def same_rules(old: Chain | None, new: Chain | None) -> bool:
    """Whether two chains are there and say the same."""
    return old is not None and new is not None and old.comments == new.comments


def difference(table: str, old: Ruleset, new: Ruleset) -> list[str]:
    """The nft commands, to be run as one transaction, that make a table with ``old`` hold ``new``; none if equal.

    A table in which somebody has declared a thing of ours in another way is made anew within the same transaction.
    """
    if not _can_become(old, new):
        where = f"inet {table}"
        return [f"delete table {where}", f"add table {where}", *difference(table, Ruleset(), new)]
    change = between(old, new)
    return [*preparation(table, change), *switch(table, change), *removal(table, change)]


def transactions(table: str, old: Ruleset, new: Ruleset) -> list[list[str]]:
    """The same in the transactions that a table which is in use needs: see `preparation` and `removal`.

    A first table is made in parts: every base chain ends in drop, so what is not whole yet lets nothing pass.
    """
    if not old.chains and not old.sets:
        return list(_parts(difference(table, old, new)))
    if not old.chains or not _can_become(old, new):
        return [commands] if (commands := difference(table, old, new)) else []
    return in_turn(table, between(old, new))


def in_turn(table: str, change: RulesetChange) -> list[list[str]]:
    """The transactions of a change, empty ones left out. What nothing refers to yet comes in parts."""
    steps = [commands for step in (switch, removal) if (commands := step(table, change))]
    return [*_parts(preparation(table, change)), *steps]


def _parts(commands: list[str]) -> Iterator[list[str]]:
    """Commands in transactions of about a megabyte: libnftables takes some thirty times a text's size in memory."""
    part: list[str] = []
    size = 0
    for command in commands:
        if part and size + len(command) > _PART:
            yield part
            part, size = [], 0
        part.append(command)
        size += len(command)
    if part:
        yield part


def _can_become(old: Ruleset, new: Ruleset) -> bool:
    """Whether all that both have is declared alike: the kernel declares nothing a second time in another way."""
    sets = all(it.declaration == new.sets[name].declaration for name, it in old.sets.items() if name in new.sets)
    hooks = all(it.hook == new.chains[name].hook for name, it in old.chains.items() if name in new.chains)
    return sets and hooks and "" not in old.helpers


def preparation(table: str, change: RulesetChange) -> list[str]:
    """The commands that add what is new, before anything refers to it.

    A transaction is atomic, but not to a packet that is under way while it commits. The elements of an interval map
    show a little later than the rules that look into it, so a new map would be found empty and what it denies would
    pass; and a packet that began before may already see a new hash element, but not yet the rules of the new chain it
    leads to. Sets, maps and chains that were committed before are whole when the switch comes. So are the numbers that
    lead to a chain, which nothing has yet.

    The order is what the kernel wants: what is referred to comes first.
    """
    where = f"inet {table}"
    sets = {name: after for name, (before, after) in change.sets.items() if after and not before}
    chains = {name: after for name, (before, after) in change.chains.items() if after and not before}
    old, new = (helpers or frozenset() for helpers in change.helpers)
    return [
        *(f'add ct helper {where} {it} {{ type "{it}" protocol tcp; l3proto inet; }}' for it in sorted(new - old)),
        *(f"add {it.word} {where} {name} {it.declaration}" for name, it in sets.items()),
        *(f"add chain {where} {name}{it.declaration}" for name, it in chains.items()),
        *(line for name, it in chains.items() for line in _rules(where, name, it)),
        *(
            f"add element {where} {name} {{ {_elements(it.fields, it.elements.items())} }}"
            for name, it in sets.items()
            if it.elements
        ),
        *(line for name, (early, _, _) in _in_steps(change) for line in _changed_elements(where, name, early)),
    ]


def switch(table: str, change: RulesetChange) -> list[str]:
    """The commands by which the table begins to judge by the new rules and elements."""
    where = f"inet {table}"
    lines: list[str] = []
    for name, (before, after) in change.chains.items():
        if before and after:
            lines += [f"flush chain {where} {name}", *_rules(where, name, after)]
    for name, (_, now, _) in _in_steps(change):
        lines += _changed_elements(where, name, now)
    return lines


def removal(table: str, change: RulesetChange) -> list[str]:
    """The commands that take away what nothing refers to any more: what is referred to goes last.

    Not at once with the `switch`, since a packet that began before it still goes by the old rules. It would find their
    maps empty, or no chain by the number that it has.
    """
    where = f"inet {table}"
    chains = [name for name, (_, after) in change.chains.items() if not after]
    old, new = (helpers or frozenset() for helpers in change.helpers)
    return [
        *(line for name, (_, _, late) in _in_steps(change) for line in _changed_elements(where, name, late)),
        *(f"flush chain {where} {name}" for name in chains),
        *(
            f"delete {before.word} {where} {name}"
            for name, (before, after) in change.sets.items()
            if before and not after
        ),
        *(f"delete chain {where} {name}" for name in chains),
        *(f"delete ct helper {where} {name}" for name in sorted(old - new)),
    ]


def _in_steps(change: RulesetChange) -> Iterator[tuple[str, tuple[Elements, Elements, Elements]]]:
    """The elements of each set that come before the switch, change with it, and go after it.

    Before and after come and go those that lead to a chain which comes or goes itself.
    """
    new = {name for name, (before, _) in change.chains.items() if not before}
    gone = {name for name, (_, after) in change.chains.items() if not after}
    for name, (fields, pairs) in change.elements.items():
        early = {key: pair for key, pair in pairs.items() if new and not pair[0] and _target(pair[1]) in new}
        late = {key: pair for key, pair in pairs.items() if gone and not pair[1] and _target(pair[0]) in gone}
        now = {key: pair for key, pair in pairs.items() if key not in early and key not in late}
        yield name, (Elements(fields, early), Elements(fields, now), Elements(fields, late))


def _target(element: Element | None) -> str:
    return element.value.partition(" ")[2] if element else ""


def _rules(where: str, name: str, chain: Chain) -> Iterator[str]:
    return (f'add rule {where} {name} {rule.text} comment "{rule.comment}"' for rule in chain.rules)


def _changed_elements(where: str, name: str, change: Elements) -> Iterator[str]:
    gone = [key for key, (before, _) in change.pairs.items() if before]
    come = [(key, after) for key, (_, after) in change.pairs.items() if after]
    if gone:
        yield f"delete element {where} {name} {{ {', '.join(render_key(change.fields, key) for key in gone)} }}"
    if come:
        yield f"add element {where} {name} {{ {_elements(change.fields, come)} }}"


def _elements(fields: tuple[Field, ...], elements: Iterable[tuple[Key, Element]]) -> str:
    texts = []
    for key, (value, comment) in elements:
        text = render_key(fields, key)
        if comment:
            text += f' comment "{comment}"'
        texts.append(f"{text} : {value}" if value else text)
    return ", ".join(texts)


def render_key(fields: tuple[Field, ...], key: Key) -> str:
    """A key as nft reads it."""
    return " . ".join(render_part(kind, part) for kind, part in zip(fields, key, strict=True))


def render_part(kind: Field, part: Interval | str) -> str:
    """One part of a key, or what a rule compares it with."""
    if isinstance(part, str):
        return f'"{part}"'
    first, last = part
    if kind is Field.IPV4:
        render = _ipv4
    elif kind is Field.IPV6:
        render = _ipv6
    else:
        return str(first) if first == last else f"{first}-{last}"
    return render(first) if first == last else f"{render(first)}-{render(last)}"


def _ipv4(value: int) -> str:
    return socket.inet_ntop(socket.AF_INET, value.to_bytes(4))


def _ipv6(value: int) -> str:
    return socket.inet_ntop(socket.AF_INET6, value.to_bytes(16))
