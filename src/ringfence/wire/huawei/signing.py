"""Signatures of requests to Huawei's APIs: SDK-HMAC-SHA256 (apis/huawei.md 3.1)."""

from __future__ import annotations

import hmac
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Protocol

from ringfence.errors import NotAuthenticated
from ringfence.security.canonical import CanonicalRequest, path_in_form, query_in_form, repeated, sha256_hex
from ringfence.security.secret import Secret, same
from ringfence.security.signing import SKEW
from ringfence.wire.request import Request

SCHEME: Final = "SDK-HMAC-SHA256"
DATE: Final = "x-sdk-date"
_MUST_SIGN: Final = ("host", DATE)
_MEANINGFUL: Final = frozenset({"content-type", "x-project-id", "x-security-token", "x-sdk-content-sha256"})
_AUTHORIZATION = re.compile(
    SCHEME
    + r" Access=(?P<key>[!-+\--~]{1,128}), SignedHeaders=(?P<signed>[a-z0-9;-]+), Signature=(?P<made>[0-9a-f]{64})"
)
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


def canonical_of(request: Request, signed: tuple[str, ...]) -> CanonicalRequest:
    """The canonical request: each segment of the path is encoded anew, and a slash ends it."""
    told = request.signed
    return CanonicalRequest(
        told.method, path_in_form(told.path), query_in_form(told.query), told.headers, signed, sha256_hex(told.body)
    )


def signature(canonical: CanonicalRequest, date: str, secret: Secret) -> str:
    """The signature that a secret makes of a canonical request."""
    text = f"{SCHEME}\n{date}\n{canonical.digest}"
    return hmac.digest(secret.reveal().encode(), text.encode(), "sha256").hex()


class Keys(Protocol):
    """Whoever knows the access keys, as `Identities` does."""

    def secret_of(self, key_id: str) -> Secret | None:
        """The secret of a key that may be used now."""

    def clock(self) -> float:
        """Unix seconds."""


def key_of(request: Request, keys: Keys) -> str:
    """The id of the access key that signed a request. Raises `NotAuthenticated`.

    The scheme has no nonce: within its date's time a request that is sent again is accepted again.
    """
    match = _AUTHORIZATION.fullmatch(request.header("authorization"))
    if match is None:
        raise _refused("the Authorization header is not of the form of a signature")
    signed = tuple(match["signed"].split(";"))
    _check_signed(request, signed)
    _check_date(request.header(DATE), keys.clock())
    secret = keys.secret_of(match["key"])
    made = signature(canonical_of(request, signed), request.header(DATE), secret or _NOBODYS)
    if not same(made, match["made"]) or secret is None:
        raise _refused("verify aksk signature fail")
    return match["key"]


_NOBODYS = Secret("nobody's: an unknown key takes the time of a known one")


def _check_signed(request: Request, signed: tuple[str, ...]) -> None:
    """Every header that must be signed is, every signed one is there once, and their list has its one order."""
    present = {name.lower() for name, _ in request.signed.headers}
    must = {*_MUST_SIGN, *(present & _MEANINGFUL)}
    if not must <= set(signed) <= present or list(signed) != sorted(set(signed)):
        raise _refused(f"sign {', '.join(sorted(must))}, each in small letters and in order")
    if repeated(request.signed.headers, (*signed, "authorization")):
        raise _refused("a signed header is there more than once")
    if "x-security-token" in present:
        raise _refused("there are no temporary keys here")
    if "x-sdk-content-sha256" in present and request.header("x-sdk-content-sha256") != sha256_hex(request.signed.body):
        raise _refused("x-sdk-content-sha256 is not the hash of the body")


def _check_date(text: str, now: float) -> None:
    with suppress(ValueError):  # a month 13 and the like
        if _DATE.fullmatch(text):
            at = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
            if abs(at - now) <= SKEW:
                return
            raise _refused("the request's date is too far from the server's clock")
    raise _refused("X-Sdk-Date is no date")


def _refused(what: str) -> NotAuthenticated:
    return NotAuthenticated(what, reason="APIGW.0301")
