"""Where a store is: its URL, checked, and shown without its passwords."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ringfence.errors import StoreUnusable

_FORMS = "a store is sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE"
_SECRET = re.compile(r"password|secret|key", re.IGNORECASE)


def parse(text: str) -> URL:
    """The URL of a store; raises StoreUnusable, which never repeats a URL that could hold a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreUnusable(f"the store's URL does not parse; {_FORMS}") from None
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise StoreUnusable(f"no store is kept in {url.drivername!r}; {_FORMS}")
    if url.drivername == "sqlite" and (url.database in {None, "", ":memory:"} or url.host or url.query):
        raise StoreUnusable("a store in SQLite is a file, by its path alone; sqlite:///PATH")
    return url


def for_people(url: URL) -> str:
    """The URL for messages and logs: whatever may be a password is ``***``."""
    hidden = {name: "HIDDEN" for name in url.query if _SECRET.search(name)}
    return url.update_query_dict(hidden).render_as_string(hide_password=True).replace("=HIDDEN", "=***")


def file_of(text: str) -> Path | None:
    """The file of a store, if it is one in SQLite. Raises StoreUnusable."""
    url = parse(text)
    return Path(url.database or "") if url.drivername == "sqlite" else None
