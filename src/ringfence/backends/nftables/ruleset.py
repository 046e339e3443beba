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
    elements: Mapping[Key, Element] = field(default_factory=dict)

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
    """The content of one table of the inet family."""

    sets: Mapping[str, NftSet] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)


def skeleton(ruleset: Ruleset) -> Ruleset:
    """Its rules and what they refer to, without elements and hooks: nothing comes by."""
    sets = {name: replace(it, elements={}) for name, it in ruleset.sets.items()}
    return Ruleset(sets, {name: replace(chain, hook=None) for name, chain in ruleset.chains.items()})


Item = TypeVar("Item", NftSet, Chain)


def preparation(table: str, old: Ruleset, new: Ruleset) -> list[str]:
    """The commands that add what ``new`` needs and ``old`` has not, before anything refers to it.

    A transaction is atomic, but not to a packet that is under way while it commits. The elements of an interval map
    show a little later than the rules that look into it, so a new map would be found empty and what it denies would
    pass; and a packet that began before may already see a new hash element, but not yet the rules of the new chain it
    leads to. Maps and chains that were committed before are whole when the switch comes.
    """
    return difference(table, old, _prepared(old, new)) if old.chains else []


def _prepared(old: Ruleset, new: Ruleset) -> Ruleset:
    maps = {name: it for name, it in new.sets.items() if it.interval}
    return Ruleset({**maps, **old.sets}, {**new.chains, **old.chains})


def switch(table: str, old: Ruleset, new: Ruleset) -> list[str]:
    """What is left to do after the `preparation`, as one transaction; all of it, where there is nothing to prepare."""
    return difference(table, _prepared(old, new) if old.chains else old, new)


def difference(table: str, old: Ruleset, new: Ruleset) -> list[str]:
    """The nft commands, to be run as one transaction, that make a table with ``old`` hold ``new``; none if equal.

    The order is what the kernel wants: what is referred to comes first and goes last. A table in which somebody has
    declared a thing of ours in another way is made anew, within the same transaction (and without a `preparation`).
    """
    where = f"inet {table}"
    if not _can_become(old, new):
        return [f"delete table {where}", f"add table {where}", *difference(table, Ruleset(), new)]
    return [
        *(f"add {it.word} {where} {name} {it.declaration}" for name, it in _added(old.sets, new.sets)),
        *(f"add chain {where} {name}{it.declaration}" for name, it in _added(old.chains, new.chains)),
        *_changed_rules(where, old, new),
        *_changed_elements(where, old, new),
        *(f"flush chain {where} {name}" for name, _ in _added(new.chains, old.chains)),
        *(f"delete {it.word} {where} {name}" for name, it in _added(new.sets, old.sets)),
        *(f"delete chain {where} {name}" for name, _ in _added(new.chains, old.chains)),
    ]


def _can_become(old: Ruleset, new: Ruleset) -> bool:
    """Whether all that both have is declared alike: the kernel declares nothing a second time in another way."""
    sets = all(it.declaration == new.sets[name].declaration for name, it in old.sets.items() if name in new.sets)
    return sets and all(it.hook == new.chains[name].hook for name, it in old.chains.items() if name in new.chains)


def _added(old: Mapping[str, Item], new: Mapping[str, Item]) -> Iterator[tuple[str, Item]]:
    return ((name, it) for name, it in new.items() if name not in old)


def _changed_rules(where: str, old: Ruleset, new: Ruleset) -> Iterator[str]:
    for name, chain in new.chains.items():
        before = old.chains.get(name)
        if before is not None and before.comments != chain.comments:
            yield f"flush chain {where} {name}"
        if before is None or before.comments != chain.comments:
            for rule in chain.rules:
                yield f'add rule {where} {name} {rule.text} comment "{rule.comment}"'


def _changed_elements(where: str, old: Ruleset, new: Ruleset) -> Iterator[str]:
    for name, it in new.sets.items():
        before = old.sets[name].elements if name in old.sets else {}
        if before is it.elements:
            continue
        gone = [key for key, element in before.items() if it.elements.get(key) != element]
        come = [(key, element) for key, element in it.elements.items() if before.get(key) != element]
        if gone:
            yield f"delete element {where} {name} {{ {_keys(it, gone)} }}"
        if come:
            yield f"add element {where} {name} {{ {_elements(it, come)} }}"


def _keys(it: NftSet, keys: Iterable[Key]) -> str:
    return ", ".join(render_key(it.fields, key) for key in keys)


def _elements(it: NftSet, elements: Iterable[tuple[Key, Element]]) -> str:
    texts = []
    for key, (value, comment) in elements:
        text = render_key(it.fields, key)
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
