"""The nonces of signed requests, remembered for as long as a request that carries one would be accepted."""

from __future__ import annotations

import hashlib
from threading import Lock

from ringfence.errors import NotAuthenticated

_SLICE = 60  # seconds: nonces are forgotten by the minute in which they run out


class Nonces:
    """Every nonce is good once. Safe to use from several threads.

    Memory is bounded: ``most`` nonces of about 100 bytes; when it is full, requests are refused rather than nonces
    forgotten. It knows only what it saw itself: what was signed before ``since`` (Unix seconds) is refused, as a
    request might have been accepted before a restart.
    """

    def __init__(self, since: float, most: int = 1_000_000) -> None:
        self._since = int(since)  # dates in requests are whole seconds
        self._most = most
        self._count = 0
        self._slices: dict[int, set[int]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return self._count

    def use(self, key_id: str, nonce: str, signed: float, until: float, now: float) -> None:
        """Take a nonce that was signed at a time and is refused by its date from ``until`` on.

        Raises `NotAuthenticated` (auth.replay, auth.clock) when it was used, or cannot be known not to have been.
        """
        if signed < self._since:
            what = "the request was signed before this server began to remember requests"
            raise NotAuthenticated(what, "sign it again", reason="auth.clock")
        mark = int.from_bytes(hashlib.blake2b(f"{key_id} {nonce}".encode(), digest_size=8).digest())
        with self._lock:
            self._forget(now)
            if any(mark in held for held in self._slices.values()):
                what = "a request with this nonce was accepted before"
                raise NotAuthenticated(what, "sign every request with a new nonce", reason="auth.replay")
            self._take(mark, int(until) // _SLICE)

    def _take(self, mark: int, number: int) -> None:
        if self._count >= self._most:
            what = f"{self._most} signed requests are remembered, and no more can be"
            raise NotAuthenticated(what, "use a token, or try again later", reason="auth.replay")
        self._slices.setdefault(number, set()).add(mark)
        self._count += 1

    def _forget(self, now: float) -> None:
        for number in [number for number in self._slices if (number + 1) * _SLICE <= now]:
            self._count -= len(self._slices.pop(number))
