"""Changes that come at the same time: one commit makes them durable, each is told what became of it, none is left."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.group import LONGEST, MOST
from ringfence.errors import InvalidFields, StoreMismatch
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.store.store import Store
from ringfence.store.writer import Writer
from tests.control.service import Service

CLIENTS = 8


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A new service."""
    with Service.fresh(tmp_path) as made:
        yield made


@pytest.fixture
def commits(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The newest revision at each commit."""
    found: list[int] = []
    finish = Writer.finish

    def counted(writer: Writer) -> None:
        finish(writer)
        found.append(writer.head)

    monkeypatch.setattr(Writer, "finish", counted)
    return found


def at_once(service: Service, names: list[str]) -> list[str]:
    """Make a group of each name; all others wait for the turn while the first has it. Gives how each ended."""
    begun, all_there = threading.Event(), threading.Event()

    def one(name: str) -> str:
        if name != names[0]:
            begun.wait(10)

        def work(draft: Draft) -> None:
            if name == names[0]:
                begun.set()
                all_there.wait(10)
            basic.create(draft, Kind.GROUP, {"name": name})

        try:
            service.do(work)
        except (InvalidFields, StoreMismatch) as error:
            return type(error).__name__
        return "made"

    with ThreadPoolExecutor(len(names)) as pool:
        ends = [pool.submit(one, name) for name in names]
        deadline = time.monotonic() + 10
        while len(service.control._coming) < len(names) - 1 and time.monotonic() < deadline:
            time.sleep(0.001)
        all_there.set()
        return [end.result(20) for end in ends]


@pytest.mark.parametrize(
    "bad", [set(), {0}, {1}, {0, 3, 7}, set(range(1, CLIENTS)), set(range(CLIENTS))], ids=lambda it: f"bad-{sorted(it)}"
)
def test_one_commit_makes_all_durable_and_refuses_whom_it_must(
    service: Service, commits: list[int], bad: set[int]
) -> None:
    """A refused change takes nobody with it, whether it came first or last; its entry in the audit is its own."""
    before = service.control.state.revision
    names = [f"g{number}" + "\n" * (number in bad) for number in range(CLIENTS)]
    assert at_once(service, names) == ["InvalidFields" if "\n" in name else "made" for name in names]
    good = CLIENTS - len(bad)
    assert len(commits) == len(bad) + bool(good)
    assert service.control.state.revision == service.control.store.head() == before + good
    assert {it.id for it in service.control.state.of_kind(Kind.GROUP)} == {it for it in names if "\n" not in it}
    store = Store.open(f"sqlite:///{service.control.store.url_for_people().removeprefix('sqlite:///')}")
    assert store.load() == service.control.store.load()
    store.close()
    assert [it.allowed for it in service.audit()].count(False) == len(bad)


def test_a_group_ends_where_it_is_full(service: Service, commits: list[int]) -> None:
    """Who came first does not wait for an endless row of others."""
    before = service.control.state.revision
    assert at_once(service, [f"g{number}" for number in range(MOST + 3)]) == ["made"] * (MOST + 3)
    assert commits == [before + MOST, before + MOST + 3]


def test_what_cannot_be_made_durable_everybody_is_told(service: Service, tmp_path: Path) -> None:
    """Somebody else has ended a resource behind the service's back: a change of it fails with all that came with it."""
    service.make(Kind.GROUP, name="old")
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("UPDATE resource SET until = since + 1 WHERE kind = 'group' AND until IS NULL")
    connection.close()
    before = service.control.state
    begun, all_there, ends = threading.Event(), threading.Event(), []

    def change() -> None:
        def work(draft: Draft) -> None:
            begun.set()
            all_there.wait(10)
            basic.update(draft, Kind.GROUP, "old", {"description": "new"})

        with pytest.raises(StoreMismatch):
            service.do(work)
        ends.append("change")

    def add() -> None:
        begun.wait(10)
        with pytest.raises(StoreMismatch):
            service.make(Kind.GROUP, name="other")
        ends.append("add")

    threads = [threading.Thread(target=change), threading.Thread(target=add)]
    for each in threads:
        each.start()
    while not service.control._coming:
        time.sleep(0.001)
    all_there.set()
    for each in threads:
        each.join(20)
    assert sorted(ends) == ["add", "change"]
    assert service.control.state is before
    assert service.make(Kind.GROUP, name="other").id == "other"


def test_nobody_is_judged_by_what_is_not_durable_yet(service: Service) -> None:
    """A policy that one of a group makes counts for those after it in the group, and for nobody else before it ends."""
    user = service.make(Kind.USER, name="ann").id
    asker = service.acting(user=user)
    begun, others_there, found = threading.Event(), threading.Event(), dict[str, bool]()

    def may(of: Service) -> bool:
        return of.control.authority.may(of.caller, ram.DESCRIBE_SECURITY_GROUPS, group)

    def grant(draft: Draft) -> None:
        begun.set()
        others_there.wait(10)
        basic.update(draft, Kind.USER, user, {"policies": [policy]})

    def look(_: Draft) -> None:
        found["inside"] = may(asker)
        with ThreadPoolExecutor(1) as reader:
            found["outside"] = reader.submit(may, asker).result(10)

    group = service.make(Kind.GROUP, name="g")
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = service.make(Kind.POLICY, name="all", document={"Version": "1", "Statement": [statement]}).id
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(service.do, grant)
        begun.wait(10)
        second = pool.submit(service.do, look)
        while not service.control._coming:
            time.sleep(0.001)
        others_there.set()
        first.result(20)
        second.result(20)
    assert found == {"inside": True, "outside": False}
    assert may(asker)


def test_who_is_done_does_not_wait_for_a_row_of_slow_ones(service: Service, commits: list[int]) -> None:
    """A change and one that takes long are durable before the next begins, though that is there already."""
    before, seen = service.control.state.revision, list[list[int]]()
    names = ["quick", "slow", "next"]
    begun, all_there = threading.Event(), threading.Event()

    def one(name: str) -> None:
        def work(draft: Draft) -> None:
            if not begun.is_set():
                begun.set()
                all_there.wait(10)
            elif not seen:
                seen.append([])
                time.sleep(LONGEST)
            else:
                seen.append([*commits])
            basic.create(draft, Kind.GROUP, {"name": name})

        service.do(work)

    with ThreadPoolExecutor(len(names)) as pool:
        ends = [pool.submit(one, name) for name in names]
        while len(service.control._coming) < len(names) - 1:
            time.sleep(0.001)
        all_there.set()
        for end in ends:
            end.result(20)
    assert seen == [[], [before + 2]]
    assert commits == [before + 2, before + 3]
