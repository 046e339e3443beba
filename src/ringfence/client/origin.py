"""The address of a server. By itself, so that what asks no server loads no HTTP client."""

from __future__ import annotations

from urllib.parse import urlsplit

from ringfence.errors import InvalidInput


def origin(url: str) -> str:
    """The address of a server without a slash at its end; raises `InvalidInput` for what is none."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        good = False
    if not good or parts.query or parts.fragment or parts.username or parts.password:
        raise InvalidInput(f"{url!r} is no address of a server; write it like http://127.0.0.1:8475")
    return url.rstrip("/")
