"""A store from before the clouds' APIs: `rows_of_before.json` has the rows that the code of that time wrote.

With them is the export that it made of them, as a world file. Rows had no remarks, no labels, no ids of lines, no
profiles of groups, and the rules of Huawei's default group were of both families at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence import worldfile
from ringfence.compile.compiler import compile_world
from ringfence.control import declaring, reverting
from ringfence.control.control import Control
from ringfence.control.exporting import world_of
from ringfence.control.identity import Identities
from ringfence.model.validation import problems
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource
from ringfence.security.keyring import Keyring
from ringfence.store.rows import Row, Version
from ringfence.store.store import Store
from tests.control.service import Service
from tests.store.writers import commit

KEPT: dict[str, Any] = json.loads(Path(__file__).with_name("rows_of_before.json").read_text(encoding="utf-8"))
ROWS = [Row(kind, id_, account, json.dumps(body)) for kind, id_, account, body in KEPT["rows"]]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The service as it is now, on that store."""
    store = Store.open(f"sqlite:///{tmp_path}/store.db")
    commit(store, *(Version(None, row) for row in ROWS))
    control = Control(store)
    yield Service(control, Identities(control, Keyring.load(tmp_path / "keys")))
    store.close()


def test_it_is_what_it_was(service: Service) -> None:
    """Nothing is lost or refused: it is valid, is enforced as before, and exports what was exported then."""
    state, said = service.control.state, worldfile.parse(KEPT["world"], "the export of before")
    assert {(row.kind, row.id) for row in ROWS} == {(str(key.kind), key.id) for key in state.resources}
    assert problems(state.world) == ()
    exported = world_of(state, "operator")
    assert worldfile.parse(worldfile.dump(exported), "the export of now") == exported
    assert compile_world(exported) == compile_world(said)
    assert not service.do(lambda draft: declaring.apply(draft, said)).plan.changes


def test_all_of_it_can_be_written_anew_and_taken_back(service: Service) -> None:
    """Each row reads as a resource that is the same once it is written as the rows of now are."""
    for row in ROWS:
        read = Resource.parse(row.body)
        assert Resource.parse(read.text()) == read
        assert json.loads(row.body).items() <= json.loads(read.text()).items()
    before = service.control.state.world
    for kind in (
        Kind.ADDRESS_GROUP,
        Kind.VPC,
        Kind.ACL,
        Kind.PEERING,
        Kind.GROUP,
        Kind.PORT,
        Kind.INSTANCE,
        Kind.SUBNET,
    ):
        for it in service.control.state.of_kind(kind):
            service.set(kind, it.id, description="touched")
            revision = reverting.revision_of(service.control.store, service.control.state.revision)
            service.do(lambda draft, revision=revision: reverting.revert(draft, revision))  # type: ignore[misc]
            assert service.control.state.resources[Key(kind, it.id)] == it
    assert service.control.state.world == before
