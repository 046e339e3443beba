"""A file is judged before it is its turn, so that nobody waits; and it is made of what is there when it is its turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringfence import worldfile
from ringfence.control.declaring import judged
from ringfence.resources.kind import Kind
from ringfence.store.rows import AuditFilter
from tests.declare.desk import Desk, said
from tests.declare.web import web

FILE = """
groups:
  web: {rules: [in allow tcp 80 from any]}
"""


@pytest.mark.parametrize("faster", range(4))
def test_others_write_while_a_file_is_judged(faster: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So often others, and the same account, make a change meanwhile: what they made counts."""
    desk, judging = Desk(tmp_path), [0]
    ann, bob = desk.tenant("ann"), desk.tenant("bob")

    def overtaken(*args: Any) -> Any:
        found = judged(*args)
        judging[0] += 1
        if judging[0] <= faster:  # would wait for ever if this was the writers' turn
            desk.make(bob, Kind.GROUP, name=f"bob-{judging[0]}")
            desk.make(ann, Kind.GROUP, name=f"ann-{judging[0]}")
        return found

    with desk.control.change(ann, "CreateKey") as draft:
        key = desk.identities.create_key(draft, "")[0].id
    monkeypatch.setattr("ringfence.api.declaring.judged", overtaken)
    with web(desk, timer=False) as there:
        client = there.client(desk.caller(ann.account, key_id=key))
        before = desk.control.state.revision
        answer = client.post("/v1/apply", content=FILE)
        assert answer.status_code == 200, answer.text
        written = 2 * min(faster, 3)
        assert answer.json()["revision"] == before + written + 1
        assert judging == [min(faster + 1, 3)]
        assert len(answer.json()["changes"]) == 2 + written // 2  # the group, its rule, and what is not in the file
        assert desk.export(ann) == said(worldfile.parse(FILE, "test"))
        assert len(desk.export(bob).groups) == written // 2
        assert client.post("/v1/apply", content=FILE).json()["changes"] == []
    desk.store.close()


def test_what_is_refused_is_not_judged_again_while_others_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path)
    ann = desk.tenant("ann")
    with desk.control.change(ann, "CreateKey") as draft:
        key = desk.identities.create_key(draft, "")[0].id
    monkeypatch.setattr("ringfence.control.declaring.judged", lambda *_: pytest.fail("it was its turn already"))
    with web(desk, timer=False) as there:
        client = there.client(desk.caller(ann.account, key_id=key))
        before = desk.control.state
        for _ in range(2):
            answer = client.post("/v1/apply", content=FILE + "  db: {account: nobody}\n")
            assert (answer.status_code, desk.control.state is before) == (422, True), answer.text
            assert answer.json()["errors"]
        refusals = desk.store.find_audit(AuditFilter(account=ann.account, allowed=False))
        assert [it.operation for it in refusals] == ["ApplyChanges"] * 2
    desk.store.close()
