"""What the commands that ask about flows (``why``, ``fix``, ``reach``) have in common: their words and options."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.choosing import where
from ringfence.errors import InvalidInput
from ringfence.model.service import Service

END = "An instance, instance.port, virtual IP, outside host, address or security group; internet is all outside."
Named = Annotated[Path | None, typer.Option("-f", "--file", metavar="FILE", help="The same as FILE.")]
AsOf = Annotated[int | None, typer.Option("--as-of", metavar="N", min=0, help="Of a server: as it was at revision N.")]

_LONG = 90
"""So many characters of services are told to people, up to the last port that is whole."""
MORE = "…"


class Over(StrEnum):
    """The family to ask about."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


def service_asked(text: str) -> Service:
    """The service of a question; tells who names a mere number that it is no port. Raises `NotationError`."""
    service = Service.parse(text)
    if text.isdigit():
        print(f"ringfence: {text} is IP protocol {text} here; a port is asked for as tcp/{text}", file=sys.stderr)
    return service


def check_place(file: Path | None, server: str, lab: str | None, as_of: int | None = None) -> None:
    """Raise `InvalidInput` where a file and something else are named, or a revision of what is not a server's."""
    if file and (lab is not None or server):
        raise InvalidInput("a file and a lab or a server are named; give one of FILE, --lab and --server")
    if as_of is not None and (file or not where(server, lab).server):
        raise InvalidInput("--as-of is of a server; name it by --server, RINGFENCE_SERVER, or log in")


def services_told(services: Iterable[str]) -> str:
    """Services in one line; a long list of ports, as that of all but those that carriers block, ends in ``…``."""
    text = "; ".join(services)
    return text if len(text) <= _LONG else f"{text[: text.rindex(',', 0, _LONG) + 1]}{MORE}"


def command_line(command: str, words: Sequence[str], options: Mapping[str, object]) -> str:
    """A command to copy: its words, and those of its options that have a value."""
    given = [part for name, value in options.items() if value not in (None, "") for part in (name, str(value))]
    return f"ringfence {shlex.join([command, *words, *given])}"
