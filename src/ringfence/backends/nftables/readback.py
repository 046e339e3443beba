"""Reading a table back from the kernel, as the same value that was written, and with its counters."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ringfence.backends.nftables.library import Json, Nft, TableFlags
from ringfence.backends.nftables.ruleset import STRANGE, Chain, Element, Field, Hook, Key, NftRule, NftSet, Ruleset
from ringfence.compile.boxes import Interval
from ringfence.errors import KernelRefused


class Counter(NamedTuple):
    """Packets and bytes that one decision has matched.

    Only packets that conntrack calls new come to a gate: the first of a TCP connection, and of UDP all until an answer.
    """

    packets: int
    bytes: int

    def __add__(self, other: object) -> Counter:  # sums, where a tuple would concatenate
        assert isinstance(other, Counter)
        return Counter(self.packets + other.packets, self.bytes + other.bytes)


class Table(NamedTuple):
    """A table as the kernel holds it."""

    ruleset: Ruleset
    counters: Mapping[str, Counter]
    """By rule id, summed over every element and rule that carries it."""
    expressions: Mapping[str, list[Json]]
    """What the rules of each chain say, in the kernel's words, counters apart."""


def read_table(nft: Nft, name: str) -> Table | None:
    """The table of a namespace, or None if it is not there. One with flags, which ours never has, is not looked into.

    Raises `KernelRefused` for one that belongs to another process.
    """
    flags = nft.flags(name)
    if flags is None:
        return None
    if flags & TableFlags.OWNER:
        raise KernelRefused(
            f"another process owns table inet {name} (flags owner): end it, or have it let the table go"
        )
    return Table(STRANGE, {}, {}) if flags else _read(nft.table(name))


def _read(listed: list[Json]) -> Table:
    sets: dict[str, NftSet] = {}
    hooks: dict[str, Hook | None] = {}
    rules: dict[str, list[NftRule]] = {}
    counters: dict[str, Counter] = {}
    expressions: dict[str, list[Json]] = {}
    helpers: set[str] = set()
    for entry in listed:
        ((kind, it),) = entry.items()
        if kind in ("map", "set"):
            sets[it["name"]] = _set(it, counters)
        elif kind == "chain":
            hooks[it["name"]] = _hook(it)
            rules[it["name"]], expressions[it["name"]] = [], []
        elif kind == "ct helper":
            # One that is not as we declare it has no name here, so that the difference mends it.
            helpers.add(it["name"] if (it["type"], it["protocol"]) == (it["name"], "tcp") else "")
        elif kind == "rule":
            comment = it.get("comment", "")
            rules[it["chain"]].append(NftRule("", comment))
            for expression in it["expr"]:
                _count(counters, comment.partition(" ")[0], expression.pop("counter", None))
            expressions[it["chain"]].append(it["expr"])
    chains = {chain: Chain(tuple(rules[chain]), hook) for chain, hook in hooks.items()}
    return Table(Ruleset(sets, chains, frozenset(helpers)), counters, expressions)


def _hook(chain: Json) -> Hook | None:
    """Where a chain hangs."""
    if "hook" not in chain:
        return None
    # Another type or policy makes the hook differ from any that we write, so that the difference mends it.
    ours = chain["type"] == "filter" and chain.get("policy") == "drop"
    return Hook(chain["hook"] if ours else "", chain["prio"])


def _count(counters: dict[str, Counter], rule_id: str, counter: Json) -> None:
    if isinstance(counter, dict):
        found = Counter(counter["packets"], counter["bytes"])
        counters[rule_id] = counters.get(rule_id, Counter(0, 0)) + found


def _set(it: Json, counters: dict[str, Counter]) -> NftSet:
    types = it["type"] if isinstance(it["type"], list) else [it["type"]]
    flags = set(it.get("flags", ()))
    interval = "interval" in flags
    if not set(types) <= set(Field) or not flags <= {"interval"} or interval is not ("stmt" in it):
        return NftSet((), it.get("map", ""))  # no set of ours is like that, so that the difference mends it
    fields = tuple(map(Field, types))
    elements: dict[Key, Element] = {}
    for key, value, wrapper in _elements(it):
        comment = wrapper.get("comment", "")
        elements[_key(fields, key)] = Element(_value(value), comment)
        _count(counters, comment, wrapper.get("counter"))
    return NftSet(fields, it.get("map", ""), interval, elements)


def _elements(it: Json) -> Iterator[tuple[Json, Json, Json]]:
    """Key, value (None in a set) and what wraps the key: comment and counter."""
    for entry in it.get("elem", ()):
        key, value = entry if "map" in it else (entry, None)
        wrapper = key.get("elem", {}) if isinstance(key, dict) else {}
        yield wrapper.get("val", key), value, wrapper


def _value(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):  # {"accept": null}, {"goto": {"target": "x"}}
        ((verdict, argument),) = value.items()
        return f"{verdict} {argument['target']}" if argument else verdict
    return str(value)


def _key(fields: tuple[Field, ...], key: Json) -> Key:
    parts = key["concat"] if isinstance(key, dict) and "concat" in key else [key]
    return tuple(_part(field, part) for field, part in zip(fields, parts, strict=True))


def _part(field: Field, part: Json) -> Interval | str:
    if field is Field.LINK:
        return str(part)
    if isinstance(part, dict) and "range" in part:
        first, last = part["range"]
        return (_number(first), _number(last))
    if isinstance(part, dict):  # {"prefix": {"addr": ..., "len": ...}}
        bits = {Field.IPV4: 32, Field.IPV6: 128, Field.MARK: 32, Field.PROTOCOL: 8, Field.SERVICE: 16}[field]
        first = _number(part["prefix"]["addr"])
        return (first, first | (1 << bits - part["prefix"]["len"]) - 1)
    return (_number(part), _number(part))


def _number(value: Json) -> int:
    if isinstance(value, str) and not value.isdigit():
        return int(ipaddress.ip_address(value))
    return int(value)
