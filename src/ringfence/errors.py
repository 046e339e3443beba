"""Every error Ringfence raises on purpose, in one tree.

::

    RingfenceError
    ├── InvalidInput            exit code 2: what was asked for makes no sense as it stands
    │   ├── NotationError       a value's text does not parse
    │   ├── WorldFileError      a world file has mistakes (all of them, each with its place)
    │   ├── BadImportFile       a file of another cloud or tool that cannot be imported, with the place
    │   ├── UnknownName         a name that the world does not hold
    │   └── InvalidFields       fields of a request, or what they would make of the world (all of them, each by name)
    ├── Refused                 exit code 1: understood, and not done; nothing was changed
    │   ├── NotAuthenticated    nothing proves who is asking
    │   ├── Forbidden           no policy allows it, or one denies it
    │   ├── NotFound            there is no such resource, or it is not the caller's to see
    │   ├── InUse               something refers to it
    │   ├── Conflict            it is not what the caller thinks it is: another revision, a name that is taken
    │   ├── UnknownRevision     that revision was pruned, or is not there yet
    │   ├── QuotaExceeded       it would be more than a quota allows
    │   ├── Protected           deletion protection, or content that belongs to a managed service
    │   ├── CannotAmend         a world file that cannot be changed in place to say what it should
    │   └── ServerRefused       a server refused it by a code that this version does not know
    └── CannotRun               exit code 3: the request is fine, this machine cannot do it now
        ├── NotRoot             it needs root
        ├── ToolMissing         a program or library is not installed
        ├── KeyFileUnusable     the file of the key that seals secrets is not safe to use, or is no such file
        ├── StoreUnusable       the database cannot be opened, written or understood
        ├── StoreBusy           another writer did not finish in time
        ├── StoreMismatch       what was to be written does not follow from what is stored
        ├── BackupUnusable      a backup is not whole, or does not fit here
        ├── SealBroken          a sealed secret was changed, moved, or sealed by a key that is gone
        ├── LabExists           a lab of that name is up, or was left by a crash
        ├── LabMissing          no lab of that name is up
        ├── KernelRefused       nftables refused a transaction; the old policy is still in force
        ├── ProbeFailed         a probe gave no evidence either way
        ├── ServerUnknown       no server was named, and nobody is logged in
        ├── ServerUnreachable   no connection to a server, or it broke
        ├── ServerFailed        a server failed, or what answered is no Ringfence server
        └── LoginUnusable       the file that keeps the login is not safe to use, or is no such file

The ``code`` of a class is stable: the API, the command line and the documentation use it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class RingfenceError(Exception):
    """Base of all errors that are reported as one message and not as a traceback."""

    code: ClassVar[str] = "ringfence"
    exit_code: ClassVar[int] = 3
    recorded = False
    """Whether the audit tells of it already."""


def title_of(kind: type[RingfenceError]) -> str:
    """The name of a class of errors in words, as an API tells it: InUse is "In use"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).capitalize()


class InvalidInput(RingfenceError):
    """What was asked for makes no sense as it stands; nothing was changed."""

    code = "input.invalid"
    exit_code = 2


class NotationError(InvalidInput):
    """A value's text does not parse.

    ``what`` says what is wrong with it, ``right`` what would be right; ``code`` may name the vendor's own code. Where a
    request says it, ``field`` is set to where, and ``value`` to what.
    """

    code = "input.notation"
    field, value = "", ""

    def __init__(self, what: str, right: str) -> None:
        super().__init__(f"{what}; {right}")
        self.what = what
        self.right = right


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a world file: where it is, what is wrong, and what would be right.

    ``line`` and ``column`` count from 1. ``code`` is stable; where a cloud has a code of its own for the refusal
    (SEMANTICS.md section 10), it is that one.
    """

    line: int
    column: int
    code: str
    what: str
    right: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}; {self.right} [{self.code}]"


class WorldFileError(InvalidInput):
    """A world file has mistakes; ``mistakes`` holds all of them in the order of their lines."""

    code = "world.invalid"

    def __init__(self, source: str, mistakes: tuple[Mistake, ...]) -> None:
        self.source = source
        self.mistakes = mistakes
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        lines = "\n".join(f"  {mistake}" for mistake in mistakes)
        super().__init__(f"{source}: {count}\n{lines}")


class BadImportFile(InvalidInput):
    """A file that cannot be imported: nothing of it was. ``line`` counts from 1, ``where`` is the path in its JSON."""

    code = "import.invalid"

    def __init__(self, source: str, line: int, where: str, what: str, right: str) -> None:
        at = f"{source}, line {line}" + (f", {where}" if where else "")
        super().__init__(f"{at}: {what}; {right}")
        self.source, self.line, self.where, self.what, self.right = source, line, where, what, right


class UnknownName(InvalidInput):
    """A name that the world does not hold, or that means nothing here: ``what`` is wrong, and what would be right.

    ``value`` is the name, and ``field`` as of `NotationError`.
    """

    code = "input.unknown_name"
    field = ""

    def __init__(self, what: str, right: str, value: str = "") -> None:
        super().__init__(f"{what}; {right}")
        self.what = what
        self.right = right
        self.value = value


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing that is wrong with a request: the field, what it said, what is wrong, and what would be accepted."""

    field: str
    what: str
    right: str
    code: str = "input.field"
    value: object = None

    def __str__(self) -> str:
        return f"{self.field}: {self.what}; {self.right} [{self.code}]"


class InvalidFields(InvalidInput):
    """Fields of a request that make no sense, or would make none of the world; ``problems`` holds all of them."""

    code = "input.fields"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class Refused(RingfenceError):
    """A request that was understood and not done; nothing was changed.

    ``reason`` is the stable code of this refusal, where it is more than its class says: often the vendor's own.
    """

    code = "refused"
    exit_code = 1

    def __init__(self, what: str, right: str = "", *, reason: str = "", field: str = "", value: object = None) -> None:
        super().__init__(f"{what}; {right}" if right else what)
        self.what, self.right, self.reason = what, right, reason or self.code
        self.field, self.value = field, value


class NotAuthenticated(Refused):
    """Nothing proves who is asking: no credentials, or such as do not hold. ``reason`` is one of auth.* codes."""

    code = "auth.missing"


class Forbidden(Refused):
    """No policy of the caller's allows it, or one denies it (SEMANTICS.md 9): which action, and on what.

    ``explicit``: a policy denies it.
    """

    code = "ram.forbidden"

    def __init__(self, what: str, right: str = "", *, action: str = "", arn: str = "", explicit: bool = False) -> None:
        super().__init__(what, right)
        self.action, self.arn, self.explicit = action, arn, explicit


class NotFound(Refused):
    """There is no such resource, or it is not the caller's to see; the two look alike. ``kind`` is what it would be."""

    code = "resource.not_found"

    def __init__(self, what: str, right: str = "", *, field: str = "", value: object = None, kind: str = "") -> None:
        super().__init__(what, right, field=field, value=value)
        self.kind = kind


class InUse(Refused):
    """Something refers to what was to be deleted."""

    code = "resource.in_use"


class Conflict(Refused):
    """It is not what the caller thinks it is: another revision, a name that is taken."""

    code = "resource.conflict"


EXPECT_FAILED = "expect.failed"


def expectations_fail(lines: Sequence[str]) -> Conflict:
    """The refusal of a world some of whose expectations would not hold: each ``line`` says which, and what decides."""
    right = "change what is wrong, or say why it does not matter with override_expectations (--override-expectations)"
    what = f"{len(lines)} of the expectations would not hold: {'; '.join(lines)}"
    return Conflict(what, right, reason=EXPECT_FAILED, field="expect")


class UnknownRevision(Refused):
    """A revision that was pruned from the history, or that is not there yet."""

    code = "store.unknown_revision"


class QuotaExceeded(Refused):
    """It would be more than a quota allows (SEMANTICS.md 6)."""

    code = "quota.exceeded"


class Protected(Refused):
    """Deletion protection, or content that belongs to a managed service (SEMANTICS.md 5.1)."""

    code = "resource.protected"


class CannotAmend(Refused):
    """A world file cannot be changed in place to say what it should; ``line`` is where, from 1, if at one place."""

    code = "world.cannot_amend"

    def __init__(self, what: str, line: int | None = None) -> None:
        place = f" in line {line}" if line else ""
        super().__init__(f"the file cannot be changed in place{place}: {what}", "change it by hand there")


class ServerRefused(Refused):
    """A server refused it by a code that no class of this version has; ``reason`` is that code.

    ``status`` is the answer's in HTTP; ``problems`` are the fields that it names.
    """

    code = "server.refused"

    def __init__(
        self,
        what: str,
        *,
        reason: str = "",
        status: int = 0,
        request_id: str = "",
        problems: tuple[FieldProblem, ...] = (),
    ) -> None:
        super().__init__(what, reason=reason)
        self.status, self.request_id, self.problems = status, request_id, problems


class CannotRun(RingfenceError):
    """The request is fine, but this machine cannot do it now; nothing was changed."""

    code = "run.impossible"
    exit_code = 3


class NotRoot(CannotRun):
    """The command makes namespaces and kernel rules, which only root may."""

    code = "run.not_root"


class ToolMissing(CannotRun):
    """A program or library that the command needs is not installed."""

    code = "run.tool_missing"


class KeyFileUnusable(CannotRun):
    """The file of the key that seals secrets is not safe to use, or is no such file."""

    code = "security.key_file"


class SealBroken(CannotRun):
    """A sealed secret was changed, belongs to something else, or was sealed by a key that is gone."""

    code = "security.sealed"


class StoreUnusable(CannotRun):
    """The database cannot be opened, written or understood: the message says which, and what would be right.

    If it came while a change was being committed on a connection that broke, only the store can tell whether it is in.
    """

    code = "store.unusable"


class StoreBusy(CannotRun):
    """Another writer did not finish in time; the same request may be made again."""

    code = "store.busy"


class StoreMismatch(CannotRun):
    """What was to be written does not follow from what is stored, as if the head was missed; nothing was changed."""

    code = "store.mismatch"


class BackupUnusable(CannotRun):
    """A backup is not whole, or does not fit this version or this store; nothing was written."""

    code = "store.backup"


class LabExists(CannotRun):
    """A lab of that name is up already, or a crash left parts of one."""

    code = "lab.exists"


class LabMissing(CannotRun):
    """No lab of that name is up."""

    code = "lab.missing"


class KernelRefused(CannotRun):
    """The kernel refused a transaction as a whole; the policy before it is still in force."""

    code = "kernel.refused"


class ProbeFailed(CannotRun):
    """A probe gave no evidence: it was not seen to leave, or no living capture was there to see it arrive."""

    code = "probe.no_evidence"


class ServerUnknown(CannotRun):
    """No server was named, and nobody is logged in to one."""

    code = "server.unknown"


class ServerUnreachable(CannotRun):
    """No connection to a server, or it broke; whether a change that was on its way is in, only the server can tell."""

    code = "server.unreachable"


class ServerFailed(CannotRun):
    """A server failed, or what answered is no Ringfence server."""

    code = "server.failed"


class LoginUnusable(CannotRun):
    """The file that keeps the login is not safe to use, cannot be written, or is no such file."""

    code = "server.login_file"
