"""What a lab is wired of, in parts that can be plugged and unplugged one by one while it is up.

A part is a value: what it says is what ``ip`` is told. So the way from one world to another is the difference of two
sets of parts, and a part that both have is not touched: connections over it live on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import NamedTuple

from ringfence.lab.links import Spot, await_carrying
from ringfence.lab.netns import IpRoute


class Level(IntEnum):
    """What makes a link comes before what only finds its end of it there."""

    VPC = 0
    INTERNET = 1
    GUEST = 2
    """Instances and outside hosts. They are their users': what these took away there need not be taken away again."""


class Where(NamedTuple):
    """Where a command is run, in the order in which to plug; ``family`` as of `IpRoute.run`."""

    level: Level
    namespace: str
    family: int = 0


Command = tuple[Where, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of wiring: the commands that make it, and those that undo what does not go with a link.

    It must be made anew whenever one of those that it ``needs`` is. ``name`` is what people know it by; what only comes
    along with others has none. ``ends`` are those of the link that it makes, if it makes one.
    """

    plug: tuple[Command, ...]
    unplug: tuple[Command, ...] = ()
    needs: tuple[Part, ...] = ()
    name: str = ""
    ends: tuple[Spot, ...] = ()


def missing(parts: Iterable[Part], among: Iterable[Part]) -> list[Part]:
    """The parts that are not among others, in their order."""
    known = frozenset(among)
    return [part for part in parts if part not in known]


def plug(parts: Sequence[Part], ip: IpRoute) -> None:
    """Make parts, and wait until their links carry packets; raises `CannotRun`."""
    commands = sorted((command for part in parts for command in part.plug), key=_where)
    for where, batch in groupby(commands, key=_where):
        ip.run((line for _, line in batch), where.namespace, where.family)
    await_carrying(end for part in parts for end in part.ends)


def unplug(parts: Sequence[Part], ip: IpRoute, *, doubtful: bool = False) -> None:
    """Undo parts, the last made first; where it is doubtful what is there, what is not there is passed over."""
    commands = [command for part in reversed(parts) for command in reversed(part.unplug)]
    for where, batch in groupby(sorted(commands, key=_where, reverse=True), key=_where):
        gone = doubtful or where.level is Level.GUEST
        ip.run((line for _, line in batch), where.namespace, where.family, whatever_is_there=gone)


def _where(command: Command) -> Where:
    return command[0]
