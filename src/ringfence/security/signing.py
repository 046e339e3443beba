r"""Signatures of requests to the native API: ``RINGFENCE1-HMAC-SHA256``, made and verified by the same code.

::

    Authorization: RINGFENCE1-HMAC-SHA256 Credential=KEY-ID, SignedHeaders=host;x-ringfence-…, Signature=HEX
    Signature = hex(HMAC-SHA256(secret, "RINGFENCE1-HMAC-SHA256" \n hex(SHA-256(canonical request))))

The canonical request holds method, path and query as they are on the wire (nothing between client and server has
a reason to rewrite them), the signed headers, and the body's SHA-256. Signed are at least the host, the date, the nonce
and the body's hash; and every header that changes what a request means, if the request has it.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ringfence.errors import NotAuthenticated
from ringfence.security.canonical import CanonicalRequest, Headers, repeated, sha256_hex
from ringfence.security.nonces import Nonces
from ringfence.security.secret import Secret, same

SCHEME: Final = "RINGFENCE1-HMAC-SHA256"
SKEW: Final = 15 * 60
"""Seconds by which the date of a request may differ from the server's clock."""

DATE, NONCE, BODY_HASH = "x-ringfence-date", "x-ringfence-nonce", "x-ringfence-content-sha256"
_DATE_FORM = "%Y-%m-%dT%H:%M:%SZ"
_ALWAYS: Final = ("host", BODY_HASH, DATE, NONCE)
_MEANINGFUL: Final = frozenset({"content-encoding", "content-type", "idempotency-key", "if-match", "if-none-match"})
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_AUTHORIZATION = re.compile(
    SCHEME
    + r" Credential=(?P<key>[!-+\--~]{1,128}), SignedHeaders=(?P<signed>[a-z0-9;-]+), Signature=(?P<made>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is signed of a request; ``path`` and ``query`` are as on the wire, the query without its ``?``."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class _Claim:
    """What an Authorization header says."""

    key_id: str
    signed: tuple[str, ...]
    made: str


def signed_headers(request: Request, key_id: str, secret: Secret, at: datetime | None = None) -> dict[str, str]:
    """The headers that sign a request, to be added to it; its own must hold the host and all that is meaningful."""
    added = {
        DATE: (at or datetime.now(UTC)).astimezone(UTC).strftime(_DATE_FORM),
        NONCE: secrets.token_hex(16),
        BODY_HASH: sha256_hex(request.body),
    }
    headers = (*request.headers, *added.items())
    signed = tuple(sorted(_must_sign({name.lower() for name, _ in headers})))
    made = _signature(_canonical(request, headers, signed), secret)
    return {
        **added,
        "authorization": f"{SCHEME} Credential={key_id}, SignedHeaders={';'.join(signed)}, Signature={made}",
    }


class Verifier:
    """Says whose key signed a request. ``secret_of`` gives the secret of an active access key, or none.

    ``clock`` gives Unix seconds. Safe to use from several threads where ``secret_of`` is.
    """

    def __init__(self, secret_of: Callable[[str], Secret | None], nonces: Nonces, clock: Callable[[], float]) -> None:
        self._secret_of = secret_of
        self._nonces = nonces
        self._clock = clock
        self._nobodys = Secret(secrets.token_hex(15))  # an unknown key takes the time of a known one

    def verify(self, request: Request) -> str:
        """The id of the access key that signed the request; raises `NotAuthenticated` with a code of auth.*."""
        claim = _claim(request.headers)
        values = {name.lower(): value for name, value in request.headers}
        _check_signed(request.headers, values.keys(), claim.signed)
        signed = _date(values[DATE])
        now = self._clock()
        _check_date(signed, now)
        self._check_signature(request, claim, values[BODY_HASH])
        self._nonces.use(claim.key_id, _nonce(values[NONCE]), signed, signed + SKEW + 1, now)
        return claim.key_id

    def _check_signature(self, request: Request, claim: _Claim, body_hash: str) -> None:
        canonical = _canonical(request, request.headers, claim.signed)
        secret = self._secret_of(claim.key_id)
        fits = same(_signature(canonical, secret or self._nobodys), claim.made)
        if secret is None or not fits:
            raise _refused(
                "signature",
                "the signature does not fit the request, or there is no such active access key",
                f"check the key's id and secret; the server's canonical request has the SHA-256 {canonical.digest}",
            )
        if not same(body_hash, canonical.body_hash):
            raise _refused("body", f"{BODY_HASH} is not the hash of the body", "send the lower-case hex SHA-256 of it")


def _canonical(request: Request, headers: Headers, signed: tuple[str, ...]) -> CanonicalRequest:
    return CanonicalRequest(request.method, request.path, request.query, headers, signed, sha256_hex(request.body))


def _signature(canonical: CanonicalRequest, secret: Secret) -> str:
    return hmac.digest(secret.reveal().encode(), f"{SCHEME}\n{canonical.digest}".encode(), "sha256").hex()


def _must_sign(present: Set[str]) -> set[str]:
    return {*_ALWAYS, *(name for name in present if name in _MEANINGFUL or name.startswith("x-ringfence-"))}


def _claim(headers: Headers) -> _Claim:
    given = [value for name, value in headers if name.lower() == "authorization"]
    if not given:
        raise _refused(
            "missing", "the request has no Authorization header", "sign it with an access key or send a token"
        )
    match = _AUTHORIZATION.fullmatch(given[0])
    if len(given) > 1 or match is None:
        right = f"send it once, as: {SCHEME} Credential=KEY-ID, SignedHeaders=NAME;NAME…, Signature=HEX"
        raise _refused("malformed", "the Authorization header is not of the form of a signature", right)
    return _Claim(match["key"], tuple(match["signed"].split(";")), match["made"])


def _check_signed(headers: Headers, present: Set[str], signed: tuple[str, ...]) -> None:
    """Every header that must be signed is, every signed one is there once, and their list has its one order."""
    if absent := sorted({*_ALWAYS, *signed} - present):
        raise _refused("missing", f"the request has no {', '.join(absent)} header", "send and sign it")
    if unsigned := sorted(_must_sign(present) - set(signed)):
        raise _refused("missing", f"not signed: {', '.join(unsigned)}", "name it in SignedHeaders")
    if list(signed) != sorted(set(signed)):
        raise _refused("malformed", "SignedHeaders is out of order", "name each header once, in lower case and sorted")
    if len(present) < len(headers) and (twice := repeated(headers, signed)):
        raise _refused("malformed", f"signed headers are repeated: {', '.join(twice)}", "send each of them once")


def _date(text: str) -> float:
    with suppress(ValueError):  # a month 13 and the like
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).timestamp()
    raise _refused("malformed", f"{DATE} is no date", "write it in UTC as 2026-01-31T08:00:00Z")


def _check_date(signed: float, now: float) -> None:
    away = signed - now
    if abs(away) > SKEW:
        side = "ahead of" if away > 0 else "behind"
        what = f"the request's date is {abs(away):.0f} s {side} the server's clock"
        raise _refused("clock", what, f"it may differ by {SKEW} s; set the clock and sign again")


def _nonce(text: str) -> str:
    if _NONCE.fullmatch(text) is None:
        raise _refused("malformed", f"{NONCE} is no nonce", "send 16 to 64 random letters, digits, - or _")
    return text


def _refused(code: str, what: str, right: str) -> NotAuthenticated:
    return NotAuthenticated(what, right, reason=f"auth.{code}")
