"""Who asks for something, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.control.ids import IdStyle


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has proved who they are.

    ``account`` is the account that the request is about; ``home`` the one that the caller is of, another one only where
    an operator acts on a tenant. ``user`` is empty for the account itself, which may do everything in it. ``source`` is
    the caller's address; ``connection`` an id of the TCP connection, and ``connected`` when it was opened (seconds of
    the server's monotonic clock).
    """

    account: str
    user: str = ""
    key_id: str = ""
    home: str = ""
    operator: bool = False
    source: str = ""
    request_id: str = ""
    secure: bool = False
    service: str = ""
    """The managed service that it is, where it is one (SEMANTICS.md 5.1)."""
    connection: str = field(default="", compare=False)
    connected: float = field(default=0.0, compare=False)
    ids: IdStyle = IdStyle.SPEAKING
    """What the ids look like of what is made through the API by which the caller came."""
