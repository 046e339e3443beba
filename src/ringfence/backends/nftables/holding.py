"""Holding the keys of connections that were cut: for a while no packet of theirs passes (SEMANTICS.md 13.2).

A table of its own, so that the policy's table pays nothing for it, and only while something is held. Its chain comes
before the policy's: there an entry of conntrack would let the connection pass until it is deleted.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping

from ringfence.backends.nftables.droplog import HELD_CHAIN, held_rules
from ringfence.backends.nftables.library import Nft
from ringfence.model.address import Family
from ringfence.model.connection import Connection
from ringfence.model.service import TCP, UDP

_PRIORITY = -10  # the policy's chain is at 0, conntrack at -200
_PORTED = (TCP, UDP, 33, 132, 136)  # DCCP, SCTP and UDP-Lite too: whose ports conntrack knows
_IP = {Family.IPV4: "ip", Family.IPV6: "ip6"}
_SCHEMES: Mapping[str, tuple[str, str]] = {  # what a key is made of, and which packets may have it
    "ported": ("meta l4proto . th sport . th dport", "meta l4proto . th dport . th sport"),
    "icmp": ("th sport . @th,32,16", ""),  # type and code, and id; an answer to nothing is invalid anyway
    "other": ("meta l4proto", "meta l4proto"),
}


def hold_table(table: str) -> str:
    """The name of the table that holds keys, beside the policy's table."""
    return f"{table}-hold"


class Holding:
    """What is held in one namespace. It gives commands, for who keeps count of transactions to run."""

    def __init__(self, nft: Nft, table: str) -> None:
        self._nft = nft
        self._table = hold_table(table)
        self._until: float | None = None
        """When the last key is free again; 0 where there is no table, None before the kernel was asked."""

    def holding(self, keys: Mapping[Connection, int]) -> str:
        """The transaction that holds the keys of connections for so many seconds each, which may be held already."""
        elements: defaultdict[str, list[str]] = defaultdict(list)
        for connection, seconds in keys.items():
            elements[_set_of(connection)].append(f"{_key(connection)} timeout {seconds}s")
        self._until = max(self._end(), time.monotonic() + max(keys.values()) + 1)
        added = (f"add element inet {self._table} {name} {{ {', '.join(them)} }}" for name, them in elements.items())
        return "\n".join([*_skeleton(self._table), *added])

    def release(self) -> str:
        """The transaction that takes the table away if nothing is held any more; empty where there is none to do."""
        if self._end() == 0 or self._end() > time.monotonic():
            return ""
        self._until = 0
        return self.removal()

    def removal(self) -> str:
        """The transaction that takes the table away whatever it holds."""
        return f"add table inet {self._table}\ndelete table inet {self._table}"

    def _end(self) -> float:
        if self._until is None:
            self._until = self._ask()
        return self._until

    def _ask(self) -> float:
        """Until when a table that another process made holds something; 0 if there is none."""
        flags = self._nft.flags(self._table)
        if flags is None:
            return 0
        listed = [] if flags else self._nft.table(self._table)  # asleep, say: then it holds nothing
        left = [element["elem"]["expires"] for it in listed for element in it.get("set", {}).get("elem", ())]
        return time.monotonic() + max(left, default=-1) + 1


def _skeleton(table: str) -> Iterator[str]:
    """The table without its elements, whether or not it is there."""
    yield f"add table inet {table}"
    yield f"add chain inet {table} forward {{ type filter hook forward priority {_PRIORITY}; policy accept; }}"
    yield f"flush chain inet {table} forward"
    yield f"add chain inet {table} {HELD_CHAIN}"
    yield f"flush chain inet {table} {HELD_CHAIN}"
    yield from (f"add rule inet {table} {HELD_CHAIN} {rule}" for rule in held_rules())
    for family, ip in _IP.items():
        for scheme, (there, back) in _SCHEMES.items():
            name, guard = f"{scheme}{family.value}", _guard(scheme, family)
            yield f"add set inet {table} {name} {{ typeof {ip} saddr . {ip} daddr . {there}; flags timeout; }}"
            yield f"add rule inet {table} forward {guard}{ip} saddr . {ip} daddr . {there} @{name} goto {HELD_CHAIN}"
            if back:
                yield f"add rule inet {table} forward {guard}{ip} daddr . {ip} saddr . {back} @{name} goto {HELD_CHAIN}"


def _guard(scheme: str, family: Family) -> str:
    return f"meta l4proto {'icmp' if family is Family.IPV4 else 'icmpv6'} " if scheme == "icmp" else ""


def _set_of(connection: Connection) -> str:
    scheme = "icmp" if connection.is_icmp else "ported" if connection.protocol in _PORTED else "other"
    return f"{scheme}{connection.source.family.value}"


def _key(connection: Connection) -> str:
    ends = f"{connection.source} . {connection.destination}"
    if connection.is_icmp:
        return f"{ends} . {connection.destination_port} . {connection.source_port}"
    if connection.protocol in _PORTED:
        return f"{ends} . {connection.protocol} . {connection.source_port} . {connection.destination_port}"
    return f"{ends} . {connection.protocol}"
