"""Questions: may one end use a service of another? An end may be one address, or many (see `is_several`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from ringfence.analysis.reach.names import INTERNET
from ringfence.errors import UnknownName
from ringfence.model.address import Family
from ringfence.model.flow import Flow, Query
from ringfence.model.service import Service
from ringfence.model.world import World


@dataclass(frozen=True, slots=True)
class Question:
    """May one end use a service of another? Either end may be several, see `is_several`.

    ``family`` is the one to ask about; None is the first in which both ends have an address, or each of several.
    """

    source: str
    destination: str
    service: Service
    family: Family | None = None
    source_port: int | None = None

    @property
    def queries(self) -> tuple[Query, ...]:
        """The question in each family in which the service exists, or in the one that is asked about."""
        families = [self.family] if self.family else self.service.protocol.families
        return tuple(Query.of(self.source, self.destination, self.service, it, self.source_port) for it in families)

    def flow(self, world: World) -> Flow:
        """The one flow that is meant, in the first family in which both ends have an address; raises `UnknownName`."""
        return first_known(self.queries, world.flow)

    def __str__(self) -> str:
        over = f" over {self.family}" if self.family else ""
        port = f" from port {self.source_port}" if self.source_port is not None else ""
        return f"{self.source} -> {self.destination} {self.service}{port}{over}"


Found = TypeVar("Found")


def first_known(queries: Iterable[Query], ask: Callable[[Query], Found]) -> Found:
    """What is found in the first family that knows the names; raises what the first one says where none does."""
    first: UnknownName | None = None
    for query in queries:
        try:
            return ask(query)
        except UnknownName as error:
            first = first or error
    assert first
    raise first


def is_several(world: World, name: str) -> bool:
    """Whether a name means many ends: a group, or the internet. What a flow may name itself comes first."""
    if name in world.instances or name in world.outside or name in world.virtual_ips:
        return False
    return name == INTERNET or name in world.groups
