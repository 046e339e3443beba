"""Several processes on one store: they write in turn, and one that is killed leaves nothing half done."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from ringfence.errors import StoreBusy
from ringfence.store.rows import Version
from ringfence.store.store import Store
from tests.store.writers import commit, entry, row


def start(url: str, name: str, changes: int) -> subprocess.Popen[str]:
    """A process that is about to commit changes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.writers", url, name, str(changes)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def assert_whole(store: Store) -> int:
    """Every revision is whole: its audit entry, all its versions, and the state that they lead to."""
    head, rows = store.load()
    state: dict[tuple[str, str], str] = {}
    for number, one in enumerate(store.revisions(0, 10_000), 1):
        assert one.number == number
        assert len(one.versions) == 3
        for version in one.versions:
            assert (version.before.body if version.before else None) == state.get(version.key)
            assert version.after
            state[version.key] = version.after.body
    assert {(one.kind, one.id): one.body for one in rows} == state
    assert [one.revision for one in store.find_audit(limit=10_000)] == list(range(1, head + 1))
    assert [one.seq for one in store.find_audit(limit=10_000)] == list(range(1, head + 1))
    return head


def test_two_processes_and_two_threads_write_in_turn(url: str, store: Store) -> None:
    processes = [start(url, name, 20) for name in ("one", "two")]
    for process in processes:
        go(process)

    def write(name: str) -> None:
        for turn in range(10):
            versions = [Version(None, row(f"{name}-{turn}-{part}")) for part in "abc"]
            commit(store, *versions)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("three", "four")]
    for thread in threads:
        thread.start()
    printed = [process.communicate(timeout=60)[0].split() for process in processes]
    for thread in threads:
        thread.join()
    assert [len(numbers) for numbers in printed] == [20, 20]
    assert len(Counter(number for numbers in printed for number in numbers)) == 40
    assert assert_whole(store) == 60


@pytest.mark.parametrize("delay", [0.03, 0.12])
def test_a_killed_writer_leaves_nothing_half_done(url: str, store: Store, delay: float) -> None:
    process = start(url, "killed", 10_000)
    go(process)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    acknowledged = process.communicate(timeout=30)[0].split()
    with store.writing():  # PostgreSQL may just be committing what the killed one had asked for
        pass
    head = assert_whole(store)
    assert head in {len(acknowledged), len(acknowledged) + 1}  # committed, and killed before it could say so
    with store.writing() as writer:  # and nothing of it is locked
        assert writer.head == head


def test_a_writer_that_is_killed_inside_its_transaction_leaves_nothing(url: str, store: Store) -> None:
    """The child has written everything, and is killed before it commits."""
    program = (
        "import sys, time; from ringfence.store.store import Store; from ringfence.store import history;"
        "from tests.store.writers import *; store = Store.open(sys.argv[1])\n"
        "with store.writing() as writer:\n"
        "    history.add_revisions(writer._connection, [revision(2, Version(row('a'), row('a', '2')))])\n"
        "    history.add_audit(writer._connection, writer._head, [entry(2)])\n"
        "    print('written', flush=True); time.sleep(60)\n"
    )
    commit(store, Version(None, row("a")))
    process = subprocess.Popen(
        [sys.executable, "-c", program, url], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "written\n"
    assert store.load() == (1, [row("a")])  # readers neither wait for it nor see it
    process.kill()
    process.communicate(timeout=30)
    assert store.load() == (1, [row("a")])
    assert len(store.find_audit()) == 1
    assert commit(store, Version(row("a"), row("a", "3"))) == 2


def test_who_waits_too_long_is_told_so(url: str, store: Store) -> None:
    impatient = Store.open(url, wait=0.2)
    commit(store, Version(None, row("a")))
    with store.writing() as writer:
        for write in (
            lambda: commit(impatient, Version(None, row("b"))),
            lambda: impatient.audit([entry()]),
            lambda: impatient.prune(1),
        ):
            with pytest.raises(StoreBusy, match="did not finish in time; try again") as raised:
                write()
            assert raised.value.code == "store.busy"
        assert impatient.load() == (1, [row("a")])
        writer.commit(None, [entry()])
    assert commit(impatient, Version(None, row("b"))) == 2
    impatient.close()


def test_threads_of_one_store_wait_for_each_other(url: str) -> None:
    store = Store.open(url, wait=0.2)
    refused: list[StoreBusy] = []

    def write() -> None:
        try:
            commit(store, Version(None, row("b")))
        except StoreBusy as error:
            refused.append(error)

    with store.writing():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        with pytest.raises(RuntimeError, match="wait for itself"):
            store.audit([entry()])
    assert len(refused) == 1
    assert commit(store, Version(None, row("b"))) == 1
    store.close()
