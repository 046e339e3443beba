"""What is kept besides resources: the audit, idempotent answers, tokens, reports, confirmations, meta."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.errors import StoreMismatch
from ringfence.store.rows import (
    ANSWERS_KEPT,
    AuditFilter,
    Confirmation,
    IdempotentAnswer,
    Report,
    Token,
    Version,
    now,
    token_digest,
    utc,
)
from ringfence.store.store import Store
from tests.store.writers import commit, entry, revision, row

FAR = "9999-01-01T00:00:00.000Z"


def ago(span: timedelta) -> str:
    return utc(datetime.now(UTC) - span)


WANTED = [
    (AuditFilter(), [1, 2, 3, 4]),
    (AuditFilter(account="other"), [3]),
    (AuditFilter(account="root", user="bob"), [2]),
    (AuditFilter(allowed=False), [2, 3]),
    (AuditFilter(allowed=True), [1, 4]),
    (AuditFilter(code="ram.forbidden"), [2]),
    (AuditFilter(revision=1), [1]),
    (AuditFilter(request_id="req-None", operation="Change", action="ecs:Change", allowed=False), [2, 3]),
    (AuditFilter(source="::1"), [4]),
    (AuditFilter(resource="rule/sgr-1", key_id="AK1"), [1, 2, 3]),
    (AuditFilter(since="2026-01-02T00:00:00.000Z"), [2, 3, 4]),
    (AuditFilter(until="2026-01-02T00:00:00.000Z"), [1]),
    (AuditFilter(since="2026-01-02T00:00:00.000Z", until="2026-01-04T00:00:00.000Z"), [2, 3]),
    (AuditFilter(account="nobody"), []),
]


def test_the_audit_is_found_by_what_it_says(store: Store) -> None:
    entries = [
        entry(1, at="2026-01-01T00:00:00.000Z"),
        entry(at="2026-01-02T00:00:00.000Z", user="bob", allowed=False, code="ram.forbidden"),
        entry(at="2026-01-03T00:00:00.000Z", account="other", allowed=False, code="quota.exceeded"),
        entry(at="2026-01-04T00:00:00.000Z", source="::1", key_id="AK2"),
    ]
    with store.writing() as writer:
        writer.commit(revision(1), entries[:1])
    store.audit(entries[1:])
    numbered = [replace(one, seq=seq) for seq, one in enumerate(entries, 1)]
    for wanted, found in WANTED:
        expected = [numbered[seq - 1] for seq in found]
        assert store.find_audit(wanted) == expected, wanted
        assert store.find_audit(wanted, newest_first=True) == expected[::-1]
        assert store.find_audit(wanted, limit=1) == expected[:1]
        assert store.find_audit(wanted, newest_first=True, limit=1) == expected[::-1][:1]
        assert store.find_audit(wanted, after_seq=2) == [one for one in expected if one.seq > 2]
        assert store.find_audit(wanted, after_seq=1, before_seq=4) == [one for one in expected if 1 < one.seq < 4]


def test_an_answer_is_given_again_for_a_day_to_its_account_only(store: Store) -> None:
    answer = IdempotentAnswer("root", "key", "print", 200, '{"id": "sg-1"}', now())
    old = IdempotentAnswer("root", "old", "print", 200, "{}", ago(ANSWERS_KEPT + timedelta(seconds=5)))
    recent = IdempotentAnswer("root", "recent", "print", 200, "{}", ago(ANSWERS_KEPT - timedelta(minutes=5)))
    for one in (old, recent, answer):
        with store.writing() as writer:
            assert writer.answer("root", one.key) is None
            writer.commit(revision(writer.head + 1), [], one)
            assert one.body not in repr(one)
    assert store.answer("root", "key") == answer
    assert store.answer("root", "recent") == recent
    assert store.answer("root", "old") is None
    assert store.answer("other", "key") is None
    with store.writing() as writer:
        assert writer.answer("root", "key") == answer

    with pytest.raises(StoreMismatch), store.writing() as writer:
        writer.commit(revision(4, Version(None, row("a"))), [entry(4)], answer)
    assert store.load() == (3, [])
    with store.writing() as writer:  # an old key is as good as new, and the same key of another account is another one
        writer.commit(None, [], replace(old, at=now()))
        assert store.head() == 3
    with store.writing() as writer:
        writer.commit(None, [], replace(answer, account="other"))


def test_tokens_are_known_by_their_digest_until_they_expire_or_are_revoked(store: Store) -> None:
    tokens = [
        Token(token_digest(f"secret-{number}"), account, user, key_id, now(), FAR)
        for number, (account, user, key_id) in enumerate(
            [
                ("root", "", "K1"),
                ("root", "bob", "K2"),
                ("root", "bob", "K3"),
                ("other", "bob", "K4"),
                ("root", "al", ""),
            ]
        )
    ]
    expired = replace(tokens[0], digest=token_digest("expired"), expires=ago(timedelta(seconds=1)))
    for one in (*tokens, expired):
        store.add_token(one)
    assert len(tokens[0].digest) == 64
    assert tokens[0].digest not in repr(tokens[0])

    def known() -> list[int]:
        return [number for number, one in enumerate(tokens) if store.token(one.digest) == one]

    assert known() == [0, 1, 2, 3, 4]
    assert store.token(expired.digest) is None
    assert store.token("secret-0") is None
    assert store.revoke_token(tokens[4].digest)
    assert not store.revoke_token(tokens[4].digest)
    assert store.revoke_tokens("root", key_id="K3") == 1
    assert known() == [0, 1, 3]
    assert store.revoke_tokens("root", user="bob") == 1
    assert known() == [0, 3]
    assert store.revoke_tokens("root") == 2  # with the expired one
    assert known() == [3]


def test_the_last_report_of_each_agent_is_kept(store: Store) -> None:
    first = Report("host-b", 1, now(), "failed", "nft: no such file")
    other = Report("host-a", 2, now(), "ok", "")
    for report in (first, other, replace(first, revision=2, status="ok", detail="")):
        store.report(report)
    assert store.reports() == [other, replace(first, revision=2, status="ok", detail="")]
    assert store.forget_agent("host-a")
    assert not store.forget_agent("host-a")
    assert [report.agent for report in store.reports()] == ["host-b"]


def test_a_confirmation_is_awaited_from_the_moment_of_its_revision(url: str, store: Store) -> None:
    awaited = Confirmation(1, 0, "root", FAR, "connection-1")
    with store.writing() as writer:
        writer.await_confirmation(awaited)
        with pytest.raises(StoreMismatch):
            writer.commit(revision(5))
    assert store.confirmations() == []
    with store.writing() as writer:
        writer.await_confirmation(awaited)
        writer.commit(revision(1, Version(None, row("a"))))
    again = Store.open(url)
    assert again.confirmations() == [awaited]
    assert again.settle(1)
    with store.writing() as writer:
        assert not writer.settle(1)  # who comes to undo it finds that it was confirmed
    again.close()
    with store.writing() as writer:
        writer.await_confirmation(replace(awaited, revision=2, base=1))
        writer.commit(revision(2, Version(row("a"), None)))
    with store.writing() as writer:
        assert writer.settle(2)
        writer.commit(revision(3, Version(None, row("a"))))
    assert store.confirmations() == []
    assert not store.settle(2)


def test_meta_is_written_by_one_of_those_who_write_at_once(store: Store) -> None:
    assert store.meta("root") is None
    store.set_meta("root", "1")
    store.set_meta("root", "2")
    with store.writing() as writer:
        assert writer.meta("root") == "2"
        writer.set_meta("root", "3")
        writer.commit(None)
    assert store.meta("root") == "3"


def test_a_moment_is_text_of_one_width_that_sorts_as_time_does() -> None:
    moments = [datetime(2026, 1, 2, 3, 4, 5, microseconds, UTC) for microseconds in (0, 999, 1000, 999_999)]
    texts = [utc(moment) for moment in moments]
    assert texts == [f"2026-01-02T03:04:05.{part}Z" for part in ("000", "000", "001", "999")]
    assert sorted(texts) == texts
    assert utc(datetime.fromisoformat("2026-01-02T03:04:05+02:00")) == "2026-01-02T01:04:05.000Z"


def test_a_revision_of_nothing_is_one(store: Store) -> None:
    assert commit(store) == 1
    assert store.revisions(0)[0].versions == ()
