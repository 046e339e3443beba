"""A backup restores a store as it was, in either database, and is refused as a whole if anything about it is wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringfence.errors import BackupUnusable
from ringfence.store.rows import Confirmation, IdempotentAnswer, Report, Token, Version, now
from ringfence.store.store import Store
from tests.store.writers import commit, entry, revision, row

FAR = "9999-01-01T00:00:00.000Z"


def fill(store: Store) -> None:
    """Something of everything, with texts that want care."""
    odd = row("Ünïcode-\U0001f525", json.dumps({"text": "two\nlines \u2028 \\ ' \" \x7f"}, ensure_ascii=False))
    commit(store, Version(None, row("a", "1")), Version(None, odd))
    commit(store, Version(row("a", "1"), row("a", "2")))
    commit(store, Version(row("a", "2"), None), Version(None, row("b", "x" * 5000)))
    with store.writing() as writer:
        writer.await_confirmation(Confirmation(4, 3, "root", FAR, "c1"))
        answer = IdempotentAnswer("root", "k", "f", 200, "{}", now())
        writer.commit(revision(4, Version(row("b"), None)), [entry(4), entry(None, allowed=False, after=None)], answer)
    store.add_token(Token("digest", "root", "", "AK", now(), FAR))
    store.report(Report("host", 4, now(), "ok", ""))
    store.prune(2)


def dumped(store: Store) -> bytes:
    stream = io.BytesIO()
    store.dump(stream)
    return stream.getvalue()


@pytest.fixture
def full(store: Store) -> Store:
    fill(store)
    return store


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path}/empty.db")
    yield store
    store.close()


def test_a_store_goes_from_one_database_to_the_other_and_back(tmp_path: Path, postgres: Callable[[], str]) -> None:
    stores = [Store.open(url) for url in (f"sqlite:///{tmp_path}/a.db", postgres(), f"sqlite:///{tmp_path}/b.db")]
    fill(stores[0])
    backup = dumped(stores[0])
    for store in stores[1:]:
        assert store.restore(io.BytesIO(backup)) == 4
        assert dumped(store) == backup
        assert store.load(2) == stores[0].load(2)
        assert store.revisions(2) == stores[0].revisions(2)
        assert store.meta("store_id") == stores[0].meta("store_id")
    tables = {json.loads(line)[0] for line in backup.splitlines()[1:-1]}
    assert tables == set(json.loads(backup.splitlines()[-1])["rows"])  # there was something of every table
    for store in stores:
        assert commit(store, Version(None, row("after"))) == 5
        assert [one.seq for one in store.find_audit(after_seq=4)] == [5, 6]
        store.close()


def test_a_backup_is_of_one_moment(full: Store, empty: Store) -> None:
    """A writer commits after the first line was written: nothing of it is in the backup."""

    class Stream(io.BytesIO):
        turns = 0

        def write(self, data: object) -> int:
            if self.turns < 3:
                self.turns += 1
                assert commit(full, Version(None, row(f"new-{self.turns}"))) == 4 + self.turns
            return super().write(data)  # type: ignore[arg-type]

    before = dumped(full)
    stream = Stream()
    full.dump(stream)
    assert stream.getvalue() == before
    assert empty.restore(io.BytesIO(before)) == 4


def changed_header(backup: bytes, **changes: object) -> bytes:
    first, rest = backup.split(b"\n", 1)
    return json.dumps({**json.loads(first), **changes}).encode() + b"\n" + rest


DAMAGES: list[tuple[Callable[[bytes], bytes], str]] = [
    (lambda backup: b"", "no backup of a store; name a file"),
    (lambda backup: b"\x00\xff" * 100, "no backup of a store"),
    (lambda backup: b"[]\n", "no backup of a store"),
    (lambda backup: changed_header(backup, format=2), "format 2; this version reads format 1"),
    (lambda backup: changed_header(backup, schema="9999"), "schema 9999, this store of schema 0004; restore it by"),
    (lambda backup: changed_header(backup, revision=None), "which revision it leads to"),
    (lambda backup: changed_header(backup, store_id="x"), "was changed"),
    (lambda backup: backup[: len(backup) // 2], "cut off|not a row"),
    (lambda backup: backup[: backup.rindex(b"\n", 0, -1) + 1], "cut off: its last line is missing"),
    (lambda backup: backup[:-2], "was changed"),
    (lambda backup: backup.replace(b'"alice"', b'"alicf"', 1), "was changed"),
    (lambda backup: b"".join(backup.splitlines(True)[:3] + backup.splitlines(True)[4:]), "was changed"),
    (lambda backup: backup + backup.splitlines(True)[1], "follows on its end"),
    (lambda backup: backup.replace(b'["token",', b'["nothing",', 1), "not a row of a store"),
    (lambda backup: backup.replace(b'["token",', b'["token",1,', 1), "not a row of a store"),
    (lambda backup: backup.replace(b'["token","digest"', b'["token",null', 1), "not a row of a store"),
    (lambda backup: backup.replace(b'["history",1,', b'["history",true,', 1), "not a row of a store"),
]


def test_a_damaged_backup_writes_nothing(full: Store, fresh_url: Callable[[], str]) -> None:
    backup = dumped(full)
    store = Store.open(fresh_url())
    before = dumped(store)
    for damage, message in DAMAGES:
        assert damage(backup) != backup
        with pytest.raises(BackupUnusable, match=message) as raised:
            store.restore(io.BytesIO(damage(backup)))
        assert raised.value.code == "store.backup"
        assert "\n" not in str(raised.value)
        assert dumped(store) == before
    assert store.restore(io.BytesIO(backup)) == 4
    store.close()


def test_only_an_empty_store_takes_a_backup(full: Store, empty: Store) -> None:
    backup = dumped(full)
    empty.report(Report("host", 1, now(), "ok", ""))
    for store in (full, empty):
        before = dumped(store)
        with pytest.raises(BackupUnusable, match="the store is not empty; restore into a new one"):
            store.restore(io.BytesIO(backup))
        assert dumped(store) == before


def test_a_large_backup_is_restored(fresh_url: Callable[[], str], empty: Store) -> None:
    store = Store.open(fresh_url())
    commit(store, *(Version(None, row(f"r{number}", "y" * 100)) for number in range(2500)))
    assert empty.restore(io.BytesIO(dumped(store))) == 1
    assert empty.load() == store.load()
    store.close()
