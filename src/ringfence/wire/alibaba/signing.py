"""Signatures of requests to Alibaba's APIs: RPC with HMAC-SHA1, and ACS3-HMAC-SHA256 (apis/alibaba.md 2.2 to 2.4)."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ringfence.errors import NotAuthenticated, Refused
from ringfence.security.canonical import CanonicalRequest, query_in_form, quoted, repeated, sha256_hex
from ringfence.security.secret import Secret, same
from ringfence.security.signing import SKEW
from ringfence.wire.alibaba.parameters import Parameters, missing
from ringfence.wire.request import Request

ACS3: Final = "ACS3-HMAC-SHA256"
RPC: Final = "HMAC-SHA1"
_MUST_SIGN: Final = ("host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce")
_BODY_HASH: Final = "x-acs-content-sha256"
_AUTHORIZATION = re.compile(
    ACS3
    + r" Credential=(?P<key>[!-+\--~]{1,128}),SignedHeaders=(?P<signed>[a-z0-9;_-]+)"
    + r",Signature=(?P<made>[0-9a-f]{64})"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_NONCE = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who says to have signed a request, when, and with what: nothing of it is proved."""

    key_id: str
    date: float
    nonce: str
    signature: str
    canonical: str
    """The string to sign, as we make it of the request."""
    scheme: str

    def fits(self, secret: Secret) -> bool:
        """Whether the signature is the one that the secret makes."""
        made = _rpc(self.canonical, secret) if self.scheme == RPC else _acs3(self.canonical, secret)
        return same(made, self.signature)


def is_form(request: Request) -> bool:
    """Whether the body holds parameters."""
    return request.header("content-type").lower().startswith("application/x-www-form-urlencoded")


def claim_of(request: Request, parameters: Parameters) -> Claim:
    """What a request says of its signature. Raises `Refused` for one that says too little, or says it wrongly."""
    if request.header("authorization").startswith("ACS3-"):
        return _acs3_claim(request)
    return _rpc_claim(request, parameters)


def verified(claim: Claim, secret: Secret | None, now: float) -> None:
    """Raise `NotAuthenticated` unless a secret made the signature, at about ``now`` (Unix seconds)."""
    if abs(claim.date - now) > SKEW:
        raise _refused("Specified time stamp or date value is expired.", "InvalidTimeStamp.Expired")
    if secret is None:
        raise _refused("Specified access key is not found.", "InvalidAccessKeyId.NotFound")
    if not claim.fits(secret):
        what = f"Specified signature is not matched with our calculation. server string to sign is:{claim.canonical}"
        raise _refused(what, "SignatureDoesNotMatch")


def _rpc(text: str, secret: Secret) -> str:
    return base64.b64encode(
        hmac.digest(f"{secret.reveal()}&".encode(), text.encode("utf-8", "surrogatepass"), "sha1")
    ).decode()


def _acs3(text: str, secret: Secret) -> str:
    return hmac.digest(secret.reveal().encode(), text.encode(), "sha256").hex()


def rpc_text(method: str, path: str, values: Mapping[str, str]) -> str:
    """The string to sign of the RPC scheme: method, path (always ``/``) and all parameters but the signature."""
    pairs = (f"{quoted(key)}={quoted(value)}" for key, value in sorted(values.items()) if key != "Signature")
    return f"{method}&{quoted(path)}&{quoted('&'.join(pairs))}"


def _rpc_claim(request: Request, said: Parameters) -> Claim:
    for name in ("AccessKeyId", "Signature"):
        if name not in said:
            raise missing(name)
    if said.text("SignatureMethod", RPC).upper() != RPC or said.text("SignatureVersion", "1.0") != "1.0":
        raise _refused("Specified signature method is not valid.", "InvalidSignatureMethod")
    date = _date(said.required("Timestamp"))
    nonce = _nonce(said.required("SignatureNonce"))
    text = rpc_text(request.signed.method, request.signed.path, said.values)
    return Claim(said.required("AccessKeyId"), date, nonce, said.required("Signature"), text, RPC)


def _acs3_claim(request: Request) -> Claim:
    headers = request.signed.headers
    given = request.header("authorization")
    if not given.startswith(f"{ACS3} "):
        raise _refused("Specified signature method is not valid.", "InvalidSignatureMethod")
    match = _AUTHORIZATION.fullmatch(given)
    signed = tuple(match["signed"].split(";")) if match else ()
    present = {name.lower() for name, _ in headers}
    whole = {*_MUST_SIGN, _BODY_HASH} <= set(signed) <= present
    if (
        match is None
        or not whole
        or list(signed) != sorted(set(signed))
        or repeated(headers, (*signed, "authorization"))
    ):
        raise _refused("The Authorization header or the headers that it signs are not complete.", "IncompleteSignature")
    if not same(request.header(_BODY_HASH), sha256_hex(request.signed.body)):
        raise _refused("x-acs-content-sha256 is not the hash of the body.", "IncompleteSignature")
    canonical = CanonicalRequest(
        request.signed.method,
        request.signed.path,
        query_in_form(request.signed.query),
        headers,
        signed,
        request.header(_BODY_HASH),
    )
    date, nonce = _date(request.header("x-acs-date")), _nonce(request.header("x-acs-signature-nonce"))
    return Claim(match["key"], date, nonce, match["made"], f"{ACS3}\n{canonical.digest}", ACS3)


def _date(text: str) -> float:
    with suppress(ValueError):  # a month 13 and the like
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).timestamp()
    raise _refused("Specified time stamp or date value is not well formatted.", "InvalidTimeStamp.Format")


def _nonce(text: str) -> str:
    if not _NONCE.fullmatch(text):
        raise _refused("Specified signature nonce is not valid.", "IncompleteSignature")
    return text


def _refused(what: str, reason: str) -> Refused:
    return NotAuthenticated(what, reason=reason)
