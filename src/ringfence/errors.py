"""Every error Ringfence raises on purpose, in one tree.

::

    RingfenceError
    ├── InvalidInput            exit code 2: what was asked for makes no sense as it stands
    │   ├── NotationError       a value's text does not parse
    │   ├── WorldFileError      a world file has mistakes (all of them, each with its place)
    │   └── UnknownName         a name that the world does not hold
    └── CannotRun               exit code 3: the request is fine, this machine cannot do it now
        ├── NotRoot             it needs root
        ├── ToolMissing         a program or library is not installed
        ├── LabExists           a lab of that name is up, or was left by a crash
        ├── LabMissing          no lab of that name is up
        ├── KernelRefused       nftables refused a transaction; the old policy is still in force
        └── ProbeFailed         a probe gave no evidence either way

The ``code`` of a class is stable: the API, the command line and the documentation use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class RingfenceError(Exception):
    """Base of all errors that are reported as one message and not as a traceback."""

    code: ClassVar[str] = "ringfence"
    exit_code: ClassVar[int] = 3


class InvalidInput(RingfenceError):
    """What was asked for makes no sense as it stands; nothing was changed."""

    code = "input.invalid"
    exit_code = 2


class NotationError(InvalidInput):
    """A value's text does not parse.

    ``what`` says what is wrong with it, ``right`` what would be right; ``code`` may name the vendor's own code.
    """

    code = "input.notation"

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


class UnknownName(InvalidInput):
    """A name that the world does not hold, or that means nothing here: ``what`` is wrong, and what would be right."""

    code = "input.unknown_name"

    def __init__(self, what: str, right: str) -> None:
        super().__init__(f"{what}; {right}")
        self.what = what
        self.right = right


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
