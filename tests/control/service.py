"""A real service on a real SQLite store, for tests of operations: who asks, what is there, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ringfence.control import basic
from ringfence.control.authority import OPERATOR
from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.draft import Draft
from ringfence.control.identity import Identities
from ringfence.errors import InvalidFields, Refused, RingfenceError
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.security.keyring import Keyring
from ringfence.store.rows import AuditEntry, AuditFilter
from ringfence.store.store import Store

T = TypeVar("T")
ROOT = Caller(OPERATOR, operator=True, key_id="root", source="127.0.0.1", request_id="r-1")


@dataclass
class Service:
    """The service and the account that a test acts in."""

    control: Control
    identities: Identities
    caller: Caller = field(default=ROOT)

    @classmethod
    @contextmanager
    def fresh(cls, path: Path) -> Iterator[Service]:
        """A new store with the operator's account."""
        store = Store.open(f"sqlite:///{path}/store.db")
        control = Control(store)
        identities = Identities(control, Keyring.load(path / "keys"))
        identities.bootstrap()
        try:
            yield cls(control, identities)
        finally:
            store.close()

    def acting(self, **fields: Any) -> Service:
        """The same for another caller."""
        return replace(self, caller=replace(self.caller, **fields))

    def do(self, work: Callable[[Draft], T], operation: str = "Test", *, dry_run: bool = False) -> T:
        """Make a change."""
        with self.control.change(self.caller, operation, dry_run=dry_run) as draft:
            return work(draft)

    def make(self, kind: Kind, **said: Any) -> Resource:
        """Make a resource."""
        return self.do(lambda draft: basic.create(draft, kind, said))

    def set(self, kind: Kind, ref: str, **said: Any) -> Resource:
        """Change a resource."""
        return self.do(lambda draft: basic.update(draft, kind, ref, said))

    def delete(self, kind: Kind, ref: str, *, force: bool = False) -> Resource:
        """Delete a resource."""
        return self.do(lambda draft: basic.delete(draft, kind, ref, force=force))

    def audit(self) -> list[AuditEntry]:
        """Everything that was asked for."""
        return self.control.store.find_audit(AuditFilter(), limit=100_000)

    def refused(self, work: Callable[[Draft], object]) -> RingfenceError:
        """What a refused change says. The law: it changes nothing, and leaves one entry in the audit."""
        before, stored, entries = self.control.state, self.control.store.load(), self.audit()
        with pytest.raises(RingfenceError) as raised:
            self.do(work)
        code = getattr(raised.value, "reason", raised.value.code)
        assert self.control.state is before
        assert self.control.store.load() == stored
        assert [(it.allowed, it.code, it.revision) for it in self.audit()[len(entries) :]] == [(False, code, None)]
        return raised.value


def told(error: RingfenceError) -> list[tuple[str, str]]:
    """Code and field of everything that an error names."""
    if isinstance(error, InvalidFields):
        return [(problem.code, problem.field) for problem in error.problems]
    assert isinstance(error, Refused)
    return [(error.reason, error.field)]


def without_chance(resource: Resource) -> Mapping[str, Any]:
    """What a resource says, but for ids and times, which differ each time that it is made."""
    said = resource.shown()
    return {name: value for name, value in said.items() if name not in ("id", "created", "group", "rule")}
