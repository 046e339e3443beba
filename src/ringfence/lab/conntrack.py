"""What a lab makes the connection tracking of its VPCs forget."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ringfence.backends.nftables.conntrack import delete, entries, flush, is_half_full
from ringfence.model.address import Address
from ringfence.model.connection import Connection

__all__ = ["flush", "forget", "forget_addresses", "is_half_full"]


def forget(namespace: str, is_doomed: Callable[[Connection], bool]) -> None:
    """Forget some connections of a VPC's namespace; raises `CannotRun`."""
    delete(namespace, [entry for entry in entries(namespace, "") if is_doomed(entry.connection)])


def forget_addresses(namespace: str, addresses: Collection[Address]) -> None:
    """Forget the connections to and from some addresses; raises `CannotRun`."""
    forget(namespace, lambda it: it.source in addresses or it.destination in addresses)
