"""What must never be seen in a log or an answer, and how it is told apart: by the field's name and by its own form."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

REDACTED: Final = "[redacted]"

_SENSITIVE = re.compile(
    r"authorization|secret|token|passw|pwd|signature|credential|cookie|private|passphrase|sealed|(api|signing)[_-]?key",
    re.IGNORECASE,
)
_FORMS = (
    (re.compile(r"\brft_[A-Za-z0-9_-]{8,}"), REDACTED),  # our tokens
    (re.compile(r"\brfs1\.[0-9a-f]+\.[A-Za-z0-9_-]+"), REDACTED),  # sealed secrets
    (re.compile(r"\b(Bearer|Basic)\s+[^\s,;'\"]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\b(Signature=)[^\s,;&'\"]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"://([^/\s:@]*):[^/\s@]+@"), rf"://\1:{REDACTED}@"),  # a database's URL
    (
        re.compile(
            r"(?P<name>[\w-]*(?:authorization|secret|token|passw|pwd|passphrase|cookie|sealed)[\w-]*['\"]?\s*[=:]\s*)"
            r"(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;&'\"\[][^\s,;&'\"]*)",
            re.IGNORECASE,
        ),
        rf"\g<name>{REDACTED}",
    ),
)
_HINTS = (
    *("rft_", "rfs1", "bearer", "basic", "signature", "://"),
    *("authorization", "secret", "token", "passw", "pwd", "passphrase", "cookie", "sealed"),
)
"""A text without any of these, which is nearly every one, holds nothing to be taken out."""


@lru_cache(maxsize=4096)
def is_sensitive(name: str) -> bool:
    """Whether a field of this name holds what nobody else may see."""
    return _SENSITIVE.search(name) is not None


def clean_text(text: str) -> str:
    """A text without the secrets that can be told from their form or from the name before them."""
    lower = text.lower()
    if any(hint in lower for hint in _HINTS):
        for form, instead in _FORMS:
            text = form.sub(instead, text)
    return text


def clean(value: object, name: str = "") -> object:
    """A value of a log line without secrets, however deep they are in it."""
    if name and is_sensitive(name):
        return REDACTED
    if isinstance(value, str):
        return clean_text(value)
    match value:
        case bytes():
            return clean_text(value.decode("utf-8", "backslashreplace"))
        case bool() | int() | float() | None:
            return value
        case dict():
            return {str(key): clean(item, str(key)) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [clean(item) for item in value]
    return clean_text(str(value))
