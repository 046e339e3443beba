"""What became of an attempt to enforce a world, VPC by VPC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringfence.errors import RingfenceError
from ringfence.policy.live import Cut


class Status(StrEnum):
    """How it stands with a VPC."""

    ENFORCED = "enforced"
    """Its policy is in force, and the connections that the change cuts are cut."""
    ABSENT = "absent"
    """There is no namespace of its here."""
    FAILED = "failed"
    """The policy of before is in force, or connections were not cut; the next enforcement tries again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one VPC."""

    status: Status
    commands: int = 0
    """How many nft commands it took; 0 if the policy was in force already."""
    cuts: tuple[Cut, ...] = ()
    """The live connections that were cut."""
    error: Exception | None = None

    @property
    def code(self) -> str:
        """The code of the failure; empty for none."""
        return code_of(self.error)

    @property
    def detail(self) -> str:
        """What failed, in words."""
        return words_of(self.error)


def code_of(error: Exception | None) -> str:
    """The stable code of a failure: a mistake of our own has one too."""
    if error is None:
        return ""
    return error.code if isinstance(error, RingfenceError) else "agent.broken"


def words_of(error: Exception | None) -> str:
    """What failed; of an error that is none of `RingfenceError`, its kind as well."""
    if error is None or isinstance(error, RingfenceError):
        return str(error or "")
    return f"{type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class Enforced:
    """What became of the VPCs that were looked at: all of them, or those that the edits are about."""

    vpcs: Mapping[str, Outcome]
    whole: bool
    """Whether all was compiled and compared, and not only what the edits change."""
    failed: frozenset[str]
    """Every VPC that is behind now, looked at or not."""
    absent: frozenset[str]
    """Every VPC that has no namespace here."""
    committed: float
    """Seconds until the kernel had the policy, of every VPC where it did not fail."""
    took: float
    """Seconds until connections were cut as well."""

    @property
    def ok(self) -> bool:
        """Whether the whole world is in force, as far as its VPCs are here."""
        return not self.failed

    @property
    def commands(self) -> int:
        """How many nft commands it took in all."""
        return sum(it.commands for it in self.vpcs.values())

    @property
    def cuts(self) -> list[Cut]:
        """Every connection that was cut."""
        return [cut for it in self.vpcs.values() for cut in it.cuts]
