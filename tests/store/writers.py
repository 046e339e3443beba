"""Changes for tests to commit; as a program (URL, name, number of changes), a process that makes them one by one."""

from __future__ import annotations

import sys

from ringfence.store.rows import AuditEntry, Revision, Row, Version, now
from ringfence.store.store import Store


def row(name: str, body: str = "{}", account: str = "root") -> Row:
    return Row("rule", name, account, body)


def revision(number: int, *versions: Version, account: str = "root") -> Revision:
    return Revision(number, now(), account, "alice", "Change", f"req-{number}", versions)


def entry(number: int | None = None, **changed: object) -> AuditEntry:
    values: dict[str, object] = {
        "at": now(),
        "account": "root",
        "user": "alice",
        "key_id": "AK1",
        "source": "192.0.2.1",
        "operation": "Change",
        "action": "ecs:Change",
        "resource": "rule/sgr-1",
        "allowed": True,
        "code": "",
        "request_id": f"req-{number}",
        "revision": number,
        "before": None,
        "after": '{"id": "sgr-1"}',
    }
    return AuditEntry(**{**values, **changed})  # type: ignore[arg-type]


def commit(store: Store, *versions: Version) -> int:
    """Commit one revision with its audit entry; its number."""
    with store.writing() as writer:
        number = writer.head + 1
        writer.commit(revision(number, *versions), [entry(number)])
    return number


def main(url: str, name: str, changes: int) -> None:
    """Each change replaces one row and adds two; every number that was committed is printed after it was."""
    store = Store.open(url)
    shared = row(f"shared-{name}", "0")
    print("ready", flush=True)
    sys.stdin.readline()
    for turn in range(changes):
        after = row(f"shared-{name}", str(turn))
        added = [Version(None, row(f"{name}-{turn}-{part}", "x" * 2000)) for part in "ab"]
        number = commit(store, Version(shared if turn else None, after), *added)
        print(number, flush=True)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
