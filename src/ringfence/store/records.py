"""What is kept besides resources: the audit, answers, tokens, reports, confirmations, meta; in a transaction given."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from ringfence.store.rows import (
    ANSWERS_KEPT,
    AuditEntry,
    AuditFilter,
    Confirmation,
    IdempotentAnswer,
    Report,
    Token,
    now,
    utc,
)
from ringfence.store.tables import ANSWER, AUDIT, CONFIRMATION, META, REPORT, TOKEN

_ENTRY = [AUDIT.c[field.name] for field in fields(AuditEntry)]
_ANSWER = [ANSWER.c[field.name] for field in fields(IdempotentAnswer)]
_FIND_ANSWER = select(*_ANSWER).where(
    ANSWER.c.account == bindparam("of"), ANSWER.c.key == bindparam("with_key"), ANSWER.c.at >= bindparam("since")
)
_DROP_ANSWERS = delete(ANSWER).where(ANSWER.c.at < bindparam("since"))
_ADD_ANSWER = insert(ANSWER)
_FIND_TOKEN = select(TOKEN).where(TOKEN.c.digest == bindparam("wanted"), TOKEN.c.expires > bindparam("moment"))
_FIND_META = select(META.c.value).where(META.c.key == bindparam("wanted"))


def find_audit(
    connection: Connection,
    wanted: AuditFilter,
    *,
    after_seq: int,
    before_seq: int | None,
    newest_first: bool,
    limit: int,
) -> list[AuditEntry]:
    """Audit entries between two places in the audit, as AuditFilter says which."""
    equal = {name: value for name, value in asdict(wanted).items() if value is not None}
    since, until = equal.pop("since", None), equal.pop("until", None)
    statement = select(*_ENTRY).where(AUDIT.c.seq > after_seq).filter_by(**equal).limit(limit)
    if before_seq is not None:
        statement = statement.where(AUDIT.c.seq < before_seq)
    if since is not None:
        statement = statement.where(AUDIT.c.at >= since)
    if until is not None:
        statement = statement.where(AUDIT.c.at < until)
    order = AUDIT.c.seq.desc() if newest_first else AUDIT.c.seq
    return [AuditEntry(*row) for row in connection.execute(statement.order_by(order))]


def _answers_since() -> str:
    return utc(datetime.now(UTC) - ANSWERS_KEPT)


def answer(connection: Connection, account: str, key: str) -> IdempotentAnswer | None:
    """What was answered to an account's request with a key in the last 24 hours."""
    row = connection.execute(_FIND_ANSWER, {"of": account, "with_key": key, "since": _answers_since()}).first()
    return IdempotentAnswer(*row) if row else None


def keep_answer(connection: Connection, given: IdempotentAnswer) -> None:
    """Keep an answer, and forget those that are too old to be given again."""
    connection.execute(_DROP_ANSWERS, {"since": _answers_since()})
    connection.execute(_ADD_ANSWER, asdict(given))


def token(connection: Connection, digest: str) -> Token | None:
    """The token of a digest, unless it has expired."""
    row = connection.execute(_FIND_TOKEN, {"wanted": digest, "moment": now()}).first()
    return Token(*row) if row else None


def add_token(connection: Connection, given: Token) -> None:
    """Keep a token, and forget those that have expired."""
    connection.execute(delete(TOKEN).where(TOKEN.c.expires <= now()))
    connection.execute(insert(TOKEN), asdict(given))


def revoke_token(connection: Connection, digest: str) -> bool:
    """Forget a token; whether there was one."""
    return connection.execute(delete(TOKEN).where(TOKEN.c.digest == digest)).rowcount > 0


def revoke_tokens(connection: Connection, account: str, user: str | None, key_id: str | None) -> int:
    """Forget the tokens of an account, or only those of one user or one access key of it; how many."""
    statement = delete(TOKEN).where(TOKEN.c.account == account)
    if user is not None:
        statement = statement.where(TOKEN.c.user == user)
    if key_id is not None:
        statement = statement.where(TOKEN.c.key_id == key_id)
    return connection.execute(statement).rowcount


def put_report(connection: Connection, report: Report) -> None:
    """Keep an agent's report in the place of its last one."""
    values = asdict(report)
    changed = {name: value for name, value in values.items() if name != "agent"}
    upsert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(upsert(REPORT).values(values).on_conflict_do_update(index_elements=["agent"], set_=changed))


def reports(connection: Connection) -> list[Report]:
    """The last report of every agent, in the order of their names."""
    return [Report(*row) for row in connection.execute(select(REPORT).order_by(REPORT.c.agent))]


def forget_agent(connection: Connection, agent: str) -> bool:
    """Forget an agent that is no more; whether it had reported."""
    return connection.execute(delete(REPORT).where(REPORT.c.agent == agent)).rowcount > 0


def await_confirmation(connection: Connection, confirmation: Confirmation) -> None:
    """Remember that a revision is to be undone unless it is confirmed."""
    connection.execute(insert(CONFIRMATION), asdict(confirmation))


def settle(connection: Connection, revision: int) -> bool:
    """A revision was confirmed, or undone: nothing is awaited any more. Whether something was."""
    return connection.execute(delete(CONFIRMATION).where(CONFIRMATION.c.revision == revision)).rowcount > 0


def confirmations(connection: Connection) -> list[Confirmation]:
    """The revisions that are still to be confirmed, in their order."""
    return [Confirmation(*row) for row in connection.execute(select(CONFIRMATION).order_by(CONFIRMATION.c.revision))]


def meta(connection: Connection, key: str) -> str | None:
    """What the store keeps about itself under a key."""
    return connection.execute(_FIND_META, {"wanted": key}).scalar()


def set_meta(connection: Connection, key: str, value: str) -> None:
    """Keep a value under a key, in the place of the one before."""
    connection.execute(delete(META).where(META.c.key == key))
    connection.execute(insert(META), {"key": key, "value": value})
