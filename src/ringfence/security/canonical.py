"""A request as one text that client and server build alike: what a signature is made over.

The schemes of this family (ours, Alibaba's ACS3-HMAC-SHA256, Huawei's SDK-HMAC-SHA256) share the text of six parts and
differ in how path and query are brought into form, in which headers must be signed, and in what is put around its hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

Headers = Sequence[tuple[str, str]]
"""Names and values as received or as they will be sent; names in any case."""


@dataclass(frozen=True, slots=True)
class CanonicalRequest:
    """The parts of the text, each in the form its scheme wants; ``signed`` are the signed headers' names in order."""

    method: str
    path: str
    query: str
    headers: Headers
    signed: tuple[str, ...]
    body_hash: str

    @property
    def text(self) -> str:
        """The six parts, each on its line; every signed header has a line of its own, then comes an empty one."""
        values = {name.lower(): value for name, value in self.headers}
        lines = "".join(f"{name}:{values[name].strip()}\n" for name in self.signed)
        return "\n".join((self.method, self.path, self.query, lines, ";".join(self.signed), self.body_hash))

    @property
    def digest(self) -> str:
        """SHA-256 of the text in hex, which the string to sign ends with."""
        return sha256_hex(self.text.encode("utf-8", "surrogateescape"))


def sha256_hex(data: bytes) -> str:
    """SHA-256 in lower-case hex; of an empty body, too."""
    return hashlib.sha256(data).hexdigest()


def quoted(text: str) -> str:
    """Percent-encoded after RFC 3986: only letters, digits and ``-_.~`` stay as they are."""
    return quote(text, safe="-_.~")


def query_in_form(query: str) -> str:
    """A query decoded as a form (``+`` is a space), encoded after RFC 3986 and sorted by key, then value."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return "&".join(f"{key}={value}" for key, value in sorted((_again(key), _again(value)) for key, value in pairs))


def path_in_form(path: str) -> str:
    """A path decoded, each of its segments encoded again, and a slash at its end: Huawei's form.

    The SDK decodes before it looks for segments: a slash that was encoded, as in a tag's key, is signed as a plain one.
    """
    segments = map(_again, unquote(path, errors="surrogateescape").split("/"))
    return "/".join(segments).rstrip("/") + "/"


def repeated(headers: Iterable[tuple[str, str]], names: Iterable[str]) -> list[str]:
    """Those of the names that the headers hold more than once: what is signed then would be anyone's guess."""
    present = [name.lower() for name, _ in headers]
    return [name for name in names if present.count(name) > 1]


def _again(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe="-_.~")
