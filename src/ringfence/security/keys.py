"""Access keys and tokens: how they are made, and how a token is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from dataclasses import dataclass

from ringfence.security.secret import Secret

_LETTERS = string.ascii_letters + string.digits
_TOKEN = re.compile(r"rft_[A-Za-z0-9_-]{43}")
_SECRET_LENGTH = 30  # as Alibaba Cloud's: 62**30 are 178 bits


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key pair that signs requests: the id names it in public, the secret is told once and then kept sealed."""

    id: str
    secret: Secret


def mint_access_key() -> AccessKey:
    """A new random access key, in the form that the clients of Alibaba Cloud and Huawei Cloud take."""
    return AccessKey(f"LTAI{_random(20)}", Secret(_random(_SECRET_LENGTH)))


def mint_token() -> Secret:
    """A new bearer token of 256 random bits. It is told once; what is kept is its `digest`."""
    return Secret(f"rft_{secrets.token_urlsafe(32)}")


def digest(token: Secret) -> str:
    """What is kept of a token and looked up: its SHA-256 in hex. A token's 256 random bits need no salt."""
    return hashlib.sha256(token.reveal().encode("utf-8", "surrogatepass")).hexdigest()


def is_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
