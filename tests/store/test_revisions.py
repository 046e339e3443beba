"""Revisions: what was committed can be read as of each of them, by whatever history it came about."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.errors import StoreMismatch, UnknownRevision
from ringfence.store.rows import Revision, Row, Version
from ringfence.store.store import Store
from tests.store.writers import commit, entry, revision, row

KEYS = [(kind, name) for kind in ("group", "rule") for name in ("a", "b", "Ü", "a-1")]
TURNS = st.dictionaries(st.sampled_from(KEYS), st.none() | st.text("x{}\"'é\\", max_size=5), max_size=4)
States = list[dict[tuple[str, str], Row]]


def versions_of(state: dict[tuple[str, str], Row], turn: dict[tuple[str, str], str | None]) -> tuple[Version, ...]:
    """What a turn does to a plain dictionary: None removes, a text makes or changes."""
    made: list[Version] = []
    for key in sorted(turn):
        before, body = state.get(key), turn[key]
        after = None if body is None else Row(*key, "root", body)
        if before or after:
            made.append(Version(before, after))
    return tuple(made)


def play(store: Store, turns: list[dict[tuple[str, str], str | None]]) -> tuple[States, list[Revision]]:
    """Commit the turns; the states and revisions that a plain model says there must be."""
    states: States = [{}]
    made: list[Revision] = []
    for number, turn in enumerate(turns, 1):
        state = dict(states[-1])
        made.append(revision(number, *versions_of(state, turn)))
        for version in made[-1].versions:
            state.pop(version.key, None)
            if version.after:
                state[version.key] = version.after
        with store.writing() as writer:
            assert writer.head == number - 1
            writer.commit(made[-1], [entry(number)])
        states.append(state)
    return states, made


def listed(state: dict[tuple[str, str], Row]) -> list[Row]:
    return [state[key] for key in sorted(state)]


@given(turns=st.lists(TURNS, min_size=1, max_size=8), data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_revision_is_read_as_it_was_and_pruning_takes_only_what_is_older(
    fresh_url: Callable[[], str], turns: list[dict[tuple[str, str], str | None]], data: st.DataObject
) -> None:
    store = Store.open(fresh_url())
    states, made = play(store, turns)
    head = len(turns)
    assert store.head() == head
    assert store.load() == (head, listed(states[head]))
    for number in range(head + 1):
        assert store.load(number) == (number, listed(states[number]))
        assert store.revisions(number) == made[number:]
    limit = data.draw(st.integers(1, head))
    assert store.revisions(0, limit) == made[:limit]

    oldest = data.draw(st.integers(0, head))
    store.prune(oldest)
    with suppress(UnknownRevision):
        store.load(oldest - 1)
        pytest.fail("a pruned revision was read")
    for number in range(oldest, head + 1):
        assert store.load(number) == (number, listed(states[number]))
    kept = max(oldest - 1, 0)
    assert store.revisions(kept) == made[kept:]
    assert len(store.find_audit()) == head  # never pruned
    number = commit(store, *versions_of(states[head], {("rule", "after"): "1"}))
    assert number == head + 1
    store.close()


UNKNOWN: list[tuple[Callable[[Store], object], str]] = [
    (lambda store: store.load(4), "revision 4"),
    (lambda store: store.load(-1), "revision -1"),
    (lambda store: store.load(1), "revision 1"),
    (lambda store: store.revisions(4), "after 4"),
    (lambda store: store.revisions(0), "after 0"),
    (lambda store: store.prune(4), "revision 4"),
]


def test_a_revision_that_is_not_there_is_refused(store: Store) -> None:
    for name in "abc":
        commit(store, Version(None, row(name)))
    store.prune(2)
    for read, place in UNKNOWN:
        with pytest.raises(UnknownRevision, match=place) as raised:
            read(store)
        assert "this store can read from" in str(raised.value)
        assert raised.value.code == "store.unknown_revision"
    assert store.load() == (3, [row(name) for name in "abc"])


WRONG = [
    revision(1, Version(None, row("new"))),
    revision(3, Version(None, row("new"))),
    revision(2, Version(row("absent"), row("absent", "1"))),
    revision(2, Version(row("absent"), None)),
    revision(2, Version(None, row("there"))),
    revision(2, Version(None, row("new")), Version(None, row("new"))),
    revision(2, Version(row("there"), row("there", "1")), Version(row("absent"), None)),
]


def test_what_does_not_follow_from_the_head_changes_nothing(store: Store) -> None:
    commit(store, Version(None, row("there")))
    for wrong in WRONG:
        with pytest.raises(StoreMismatch) as raised, store.writing() as writer:
            writer.commit(wrong, [entry(2)])
        assert raised.value.code == "store.mismatch"
        assert store.load() == (1, [row("there")])
        assert len(store.find_audit()) == 1
    assert commit(store, Version(row("there"), None)) == 2


def test_a_writer_that_raises_or_never_commits_leaves_nothing(store: Store) -> None:
    with store.writing() as writer:
        writer.set_meta("never", "committed")
    with suppress(KeyError), store.writing() as writer:
        writer.set_meta("never", "committed")
        raise KeyError
    assert store.meta("never") is None
    assert commit(store, Version(None, row("a"))) == 1


def test_a_writer_sees_what_it_missed(store: Store) -> None:
    for name in "abc":
        commit(store, Version(None, row(name)))
    with store.writing() as writer:
        assert [one.number for one in writer.missed(1)] == [2, 3]
        assert writer.missed(3) == []
        assert [one.versions for one in writer.missed(2)] == [(Version(None, row("c")),)]
