"""Secrets at rest: sealed with AES-256-GCM under a key that is kept apart from the store.

A sealed text is ``rfs1.KEY.DATA``: KEY says which key sealed it, so that keys can be rotated; DATA is a random nonce of
96 bits and the ciphertext in URL-safe base64. What the secret belongs to is sealed along, so that a sealed text put
with another access key does not open.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringfence.errors import SealBroken
from ringfence.security import keyfile
from ringfence.security.secret import Secret

_FORM = "rfs1"
_NONCE_BYTES = 12


class Keyring:
    """The keys that seal secrets, oldest first: the newest seals, every one opens what it sealed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {_name(key): AESGCM(key) for key in keys}
        self._newest = _name(keys[-1])

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} keys, newest {self._newest})"

    @classmethod
    def load(cls, path: Path) -> Self:
        """The keys of a file, which is made with one new key if it is not there; raises `KeyFileUnusable`."""
        return cls(keyfile.read_or_make(path))

    @classmethod
    def rotate(cls, path: Path) -> Self:
        """Put a new key into the file: it seals from now on, the others go on opening. Raises `KeyFileUnusable`."""
        return cls(keyfile.append(path))

    def seal(self, secret: Secret, bound_to: str) -> str:
        """The secret as a text fit for the store, which opens only together with what it is bound to."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        data = self._keys[self._newest].encrypt(nonce, secret.reveal().encode(), _along(self._newest, bound_to))
        return f"{_FORM}.{self._newest}.{_encoded(nonce + data)}"

    def open(self, sealed: str, bound_to: str) -> Secret:
        """The secret again; raises `SealBroken` if the text was changed, is bound elsewhere, or its key is gone."""
        form, _, rest = sealed.partition(".")
        name, _, encoded = rest.partition(".")
        key = self._keys.get(name)
        if form != _FORM or key is None:
            raise SealBroken(
                f"no key of this key file opens the secret of {bound_to!r}; use the key file it was sealed by"
            )
        try:
            data = _decoded(encoded)
            return Secret(key.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _along(name, bound_to)).decode())
        except (ValueError, InvalidTag):
            raise SealBroken(
                f"the sealed secret of {bound_to!r} was changed or is another's; make a new key in its place"
            ) from None

    def knows(self, sealed: str) -> bool:
        """Whether one of these keys sealed this text, as far as it says so itself."""
        form, _, rest = sealed.partition(".")
        return form == _FORM and rest.partition(".")[0] in self._keys

    def is_current(self, sealed: str) -> bool:
        """Whether the newest key sealed this text; one that it did not is sealed anew after a rotation."""
        return sealed.startswith(f"{_FORM}.{self._newest}.")


def _name(key: bytes) -> str:
    """A key's name in what it sealed: it tells keys apart and says nothing of them."""
    return hashlib.sha256(b"ringfence key name:" + key).hexdigest()[:12]


def _along(name: str, bound_to: str) -> bytes:
    return f"{_FORM}.{name}.{bound_to}".encode()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """The only bytes of which this is the text; raises `ValueError` for any other spelling of them."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encoded(data) != text:
        raise ValueError("not the one spelling of these bytes")
    return data
