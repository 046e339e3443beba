"""Hits: what each rule of a table has matched, read from the kernel, and kept when a switch makes the kernel forget.

A switch flushes chains and drops maps, and their counters with them. So what they have counted is read right before and
added to a `Tally` once the switch is in force. Lost is what they count between the two, some milliseconds at most; and
if the process dies in between, what that switch replaced. Nothing is counted twice.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from ringfence.backends.nftables.netlink import NFTABLES, Interrupted, Message, Netlink, attribute, attributes, text
from ringfence.backends.nftables.readback import Counter

# linux/netfilter/nf_tables.h
_GET_RULE, _GET_SET, _GET_ELEMENT = (NFTABLES << 8 | number for number in (7, 10, 13))
_INET = 1
_TABLE, _NAME = 1, 2  # in each of the three messages
_RULE_EXPRESSIONS, _RULE_USERDATA = 4, 7
_SET_EXPRESSION, _SET_EXPRESSIONS = 17, 18
_ELEMENTS = 3
_ELEMENT_USERDATA, _ELEMENT_EXPRESSION = 6, 7
_COUNTER_BYTES, _COUNTER_PACKETS = 1, 2
_COMMENT = 0  # in userdata, as nft writes it

_TRIES = 20
_LONG = 1 << 20  # bytes of a tally's file, from which on it is summed up

Result = TypeVar("Result")


class Counted(NamedTuple):
    """Chains and maps of a table, by name."""

    chains: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()
    everything: bool = False


def replaced(commands: Iterable[str]) -> Counted:
    """What forgets its counts when these nft commands are run."""
    chains, maps, everything = set(), set(), False
    for command in commands:
        word, what, *names = command.split(None, 5)[:5]
        if word not in ("flush", "delete"):
            continue
        if what == "chain":
            chains.add(names[2])
        elif what == "map":
            maps.add(names[2])
        everything = everything or what == "table"
    return Counted(frozenset(chains), frozenset(maps), everything)


class Hits:
    """The hits of one table in one namespace."""

    def __init__(self, namespace: str, table: str, tally: Tally | None = None) -> None:
        self._netlink = Netlink(namespace)
        self._table = table
        self._tally = tally or Tally()

    def read(self) -> dict[str, Counter]:
        """Packets and bytes by rule id, since there is a tally.

        A rule that is in force is there even if it has matched nothing. Raises `Interrupted` if somebody changes
        nftables without pause.
        """
        with self._tally.held(exclusive=False):
            kept, counted = self._tally.counts(), self._now(Counted(everything=True))
        return _sum(kept, counted) if kept else counted

    @contextmanager
    def across(self, commands: Iterable[str]) -> Iterator[None]:
        """Run the block, which has nft run these commands, and keep what they make the kernel forget.

        Nobody reads a sum meanwhile. If the block fails, the old counters are still there, and nothing is kept.
        """
        going = replaced(commands)
        if going == Counted():
            yield
            return
        with self._tally.held(exclusive=True):
            counted = self._now(going)
            yield
            self._tally.add(counted)

    def of_chain(self, chain: str) -> Counter:
        """What the rules of one chain have counted together, whatever they decide for."""
        rules = self._again(lambda: list(self._rules(chain)))
        return sum((count for _, count in rules), Counter(0, 0))

    def close(self) -> None:
        """Close the socket."""
        self._netlink.close()

    def _now(self, of: Counted) -> dict[str, Counter]:
        """What the kernel has, of everything or of some chains and maps."""
        return self._again(lambda: _sum_by_id(self._all() if of.everything else self._some(of)))

    def _again(self, read: Callable[[], Result]) -> Result:
        for _ in range(_TRIES - 1):
            try:
                return read()
            except Interrupted:
                continue
        return read()

    def _all(self) -> Iterator[_Found]:
        yield from self._rules()
        for name in self._counting_maps():
            yield from self._elements(name)

    def _some(self, of: Counted) -> Iterator[_Found]:
        for chain in of.chains:
            yield from self._rules(chain)
        for name in of.maps:
            yield from self._elements(name)

    def _rules(self, chain: str = "") -> Iterator[_Found]:
        """Comment (without the digest of the rule's text) and count of each rule that counts."""
        for message in self._dump(_GET_RULE, chain):
            comment = ""
            count = None
            for kind, value in attributes(message.body):
                if kind == _RULE_EXPRESSIONS:
                    count = _counter(bytes(value))
                elif kind == _RULE_USERDATA:
                    comment = _comment(value)
            if count:
                yield comment.partition(" ")[0], count

    def _counting_maps(self) -> list[str]:
        found = []
        for message in self._dump(_GET_SET):
            parts = dict(attributes(message.body))
            if _SET_EXPRESSION in parts or _SET_EXPRESSIONS in parts:
                found.append(text(parts[_NAME]))
        return found

    def _elements(self, name: str) -> Iterator[_Found]:
        for message in self._dump(_GET_ELEMENT, name):
            for kind, value in attributes(message.body):
                if kind == _ELEMENTS:
                    yield from _in_elements(value)

    def _dump(self, kind: int, name: str = "") -> Iterator[Message]:
        """A dump of one table, or of one chain or map of it; nothing if it is not there."""
        payload = attribute(_TABLE, self._table.encode() + b"\0")
        if name:
            payload += attribute(_NAME, name.encode() + b"\0")
        try:
            yield from self._netlink.dump(kind, payload, family=_INET)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise


_Found = tuple[str, Counter]


def _in_elements(elements: memoryview) -> Iterator[_Found]:
    for _, element in attributes(elements):
        comment, count = "", None
        for kind, value in attributes(element):
            if kind == _ELEMENT_EXPRESSION:
                count = _counter(bytes(value))
            elif kind == _ELEMENT_USERDATA:
                comment = _comment(value)
        if count:
            yield comment, count


@lru_cache(maxsize=1 << 10)
def _counter(expressions: bytes) -> Counter | None:
    """What the counter among some expressions has counted; None if there is none.

    It is found by its name: a rule has many expressions. Most of a large map have counted nothing, hence the cache.
    """
    at = expressions.find(b"counter\0")
    if at < 0:
        return None
    _, data = next(attributes(memoryview(expressions)[at + len(b"counter\0") :]))
    counts = {kind: int.from_bytes(value) for kind, value in attributes(data)}
    return Counter(counts.get(_COUNTER_PACKETS, 0), counts.get(_COUNTER_BYTES, 0))


def _comment(userdata: memoryview) -> str:
    offset = 0
    while offset + 2 <= len(userdata):
        kind, length = userdata[offset], userdata[offset + 1]
        if kind == _COMMENT:
            return text(userdata[offset + 2 : offset + 2 + length])
        offset += 2 + length
    return ""


def _sum_by_id(found: Iterable[_Found]) -> dict[str, Counter]:
    sums: dict[str, list[int]] = {}
    for rule_id, (packets, size) in found:
        total = sums.setdefault(rule_id, [0, 0])
        total[0] += packets
        total[1] += size
    sums.pop("-", None)
    sums.pop("", None)
    return {rule_id: Counter(packets, size) for rule_id, (packets, size) in sums.items()}


def _sum(*parts: Mapping[str, Counter]) -> dict[str, Counter]:
    return _sum_by_id(it for part in parts for it in part.items())


class Tally:
    """What was counted by chains and maps that are no more, in a file that several processes may use.

    Each switch adds a line to the file, so that keeping it costs what the switch changed and not what there is. Without
    a file it lives as long as the process.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._counts: dict[str, Counter] = {}

    @contextmanager
    def held(self, *, exclusive: bool) -> Iterator[None]:
        """Keep everybody else from changing it, and with ``exclusive`` from reading it."""
        if self._file is None:
            yield
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def counts(self) -> dict[str, Counter]:
        """Everything that was ever added; while it is held."""
        return dict(self._counts) if self._file is None else _sum(*_lines(self._file))

    def add(self, counted: Mapping[str, Counter]) -> None:
        """Add some counts; while it is held exclusively."""
        line = {rule_id: count for rule_id, count in counted.items() if count.packets}
        if not line:
            return
        if self._file is None:
            self._counts = _sum(self._counts, line)
            return
        with self._file.open("ab") as file:
            file.write(_line(line))
            length = file.tell()
        if length > _LONG:
            draft = self._file.with_name(self._file.name + "~")
            draft.write_bytes(_line(self.counts()))
            draft.rename(self._file)


def _line(counts: Mapping[str, Counter]) -> bytes:
    # It begins a line of its own, also after one that a crash has cut off.
    return b"\n" + json.dumps(counts).encode() + b"\n"


def _lines(file: Path) -> Iterator[dict[str, Counter]]:
    """The lines of a tally's file, but those that a crash has cut off."""
    if not file.exists():
        return
    for line in file.read_bytes().splitlines():
        try:
            found = json.loads(line or b"{}")
        except ValueError:
            continue
        yield {rule_id: Counter(*count) for rule_id, count in found.items()}
