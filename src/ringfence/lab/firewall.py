"""What firewall of its own a guest has: how much of it there is, not what it says."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from ringfence.backends.netns import inside
from ringfence.backends.nftables.netlink import NFTABLES, Message, Netlink, attributes, text
from ringfence.lab.tracing import FAMILIES
from ringfence.model.address import Family

# linux/netfilter/nf_tables.h
_GET_TABLE, _GET_CHAIN, _GET_RULE = (NFTABLES << 8 | number for number in (1, 4, 7))
_TABLE_NAME, _TABLE_FLAGS, _DORMANT = 1, 2, 1
_CHAIN_TABLE, _CHAIN_HOOK, _CHAIN_TYPE = 1, 4, 7
_RULE_TABLE = 1
_OTHERS = {Family.IPV4: "ip6", Family.IPV6: "ip"}
_LEGACY = {Family.IPV4: "ip_tables_names", Family.IPV6: "ip6_tables_names"}


class Firewall(NamedTuple):
    """The tables of nftables that judge packets of a family, with the number of their rules, and what else there is."""

    tables: tuple[str, ...]
    rules: int
    rewrites: bool
    """Whether addresses or ports may change."""
    legacy: tuple[str, ...]
    """Tables of xtables-legacy, whose rules the kernel does not trace."""

    def __bool__(self) -> bool:
        return bool(self.tables or self.legacy)

    def __str__(self) -> str:
        parts = []
        if self.tables:
            count = "1 rule" if self.rules == 1 else f"{self.rules} rules"
            parts.append(f"{count} in {_listed(self.tables)}")
        if self.legacy:
            parts.append(f"xtables-legacy in {_listed(self.legacy)}")
        return " and ".join(parts)


def _listed(tables: tuple[str, ...]) -> str:
    return f"{'table' if len(tables) == 1 else 'tables'} {', '.join(tables)}"


def read_firewall(namespace: str, family: Family, ours: str) -> Firewall:
    """Read it; tables whose names begin with ``ours`` are not the guest's."""
    with closing(Netlink(namespace)) as netlink:
        dormant = {_key(it, _TABLE_NAME) for it in netlink.dump(_GET_TABLE) if _flags(it) & _DORMANT}
        hooked: dict[str, set[str]] = {}
        for chain in netlink.dump(_GET_CHAIN):
            told = dict(attributes(chain.body))
            key = _key(chain, _CHAIN_TABLE)
            if _CHAIN_HOOK in told and key not in dormant and not key.partition(" ")[2].startswith(ours):
                hooked.setdefault(key, set()).add(text(told[_CHAIN_TYPE]))
        judging = sorted(key for key in hooked if not key.startswith(f"{_OTHERS[family]} "))
        rules = sum(_key(it, _RULE_TABLE) in judging for it in netlink.dump(_GET_RULE))
    legacy = _legacy(namespace, family)
    rewrites = "nat" in legacy or any("nat" in hooked[key] for key in judging)
    return Firewall(tuple(judging), rules, rewrites, legacy)


def _key(message: Message, name: int) -> str:
    """Family and name of the table that a message is about."""
    return f"{FAMILIES[message.family]} {text(dict(attributes(message.body))[name])}"


def _flags(message: Message) -> int:
    return int.from_bytes(dict(attributes(message.body)).get(_TABLE_FLAGS, b""))


def _legacy(namespace: str, family: Family) -> tuple[str, ...]:
    with inside(namespace):
        file = Path("/proc/thread-self/net", _LEGACY[family])
        names: Iterable[str] = file.read_text().split() if file.exists() else ()  # the kernel may have no such tables
        return tuple(sorted(names))
