"""What a command is about, where that can be a lab or a server: what is named, else the server that is known."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.client.login import server_of
from ringfence.errors import InvalidInput

DEFAULT_LAB = "lab"


@dataclass(frozen=True, slots=True)
class Where:
    """A server, by its address; or a lab, by its name."""

    server: str = ""
    lab: str = ""


def where(server: str, lab: str | None) -> Where:
    """The lab that is named; else the server that is named or known; else the usual lab. Raises `InvalidInput`."""
    if lab is not None:
        if server:
            raise InvalidInput("a lab and a server are named; give one of --lab and --server")
        return Where(lab=lab)
    found = server_of(server)
    return Where(server=found) if found else Where(lab=DEFAULT_LAB)
