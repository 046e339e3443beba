"""What an account has that a world file can say, by what each thing is known by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from ringfence.control.exporting import own_rule
from ringfence.model.flow import Expectation
from ringfence.resources.kind import LIKE_A_WORLD_FILE, Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import Penalized, PortAt, RuleOf

Slot = tuple[Kind, str, str]
"""What a thing is known by: its kind, its id or what it says, and whose part it is."""
SETTINGS: Slot = (Kind.SETTINGS, Kind.SETTINGS.value, "")
"""That of the service's settings."""


@dataclass(frozen=True)
class There:
    """What there is of an account at a state."""

    state: State
    account: str

    @cached_property
    def by_slot(self) -> Mapping[Slot, Resource]:
        """All of it."""
        own = (it for kind in LIKE_A_WORLD_FILE for it in self.state.owned(self.account, kind))
        found = {slot: it for it in own if (slot := self._slot(it))}
        settings = self.state.get(Kind.SETTINGS, Kind.SETTINGS.value)
        return found | ({SETTINGS: settings} if settings else {})

    def _slot(self, resource: Resource) -> Slot | None:
        kind, value = resource.kind, resource.value
        match value:
            case RuleOf():
                return kind, own_rule(value.rule, resource.account).key, value.group
            case PortAt():
                return (kind, value.port.name, value.port.instance) if value.port.instance else None
            case Expectation():
                return kind, str(value), ""
            case Penalized():
                port = self.state.get(Kind.PORT, value.port)
                return kind, str(cast("PortAt", port.value).port) if port else value.instance, ""
        return kind, resource.id, ""
