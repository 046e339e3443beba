"""Signatures: the published vectors and real captures hold, and no byte of a signed request can be another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from ringfence.errors import NotAuthenticated, RingfenceError
from ringfence.security.canonical import path_in_form, query_in_form
from ringfence.security.nonces import Nonces
from ringfence.security.secret import Secret
from ringfence.security.signing import SKEW
from ringfence.security.signing import Request as Signed
from ringfence.wire.alibaba import signing as alibaba
from ringfence.wire.alibaba.parameters import Parameters
from ringfence.wire.huawei import signing as huawei
from ringfence.wire.request import Request
from tests.wire.captured import ALIBABA, HUAWEI, Captured


@dataclass(frozen=True)
class Keys:
    """The one key of a capture, at a time in Unix seconds: what verifiers ask `Identities` for."""

    captured: Captured
    now: float

    def secret_of(self, key_id: str) -> Secret | None:
        return Secret(self.captured.secret) if key_id == self.captured.key else None

    def clock(self) -> float:
        return self.now


def key_of(captured: Captured, request: Request, late: float = 0) -> str:
    """Whose key signed a request, told ``late`` seconds after; raises what a server refuses it with."""
    keys = Keys(captured, captured.at.timestamp() + late)
    if captured in HUAWEI:
        return huawei.key_of(request, keys)
    said = Parameters.of(request.signed.query)
    claim = alibaba.claim_of(request, said)
    alibaba.verified(claim, keys.secret_of(claim.key_id), keys.clock())
    return claim.key_id


CAPTURES = pytest.mark.parametrize("captured", [*ALIBABA, *HUAWEI], ids=lambda it: it.name)


@CAPTURES
def test_the_vectors_hold_within_a_quarter_of_an_hour(captured: Captured) -> None:
    for late in (-SKEW, 0, SKEW):
        assert key_of(captured, captured.request, late) == captured.key
    for late in (-SKEW - 1, SKEW + 1):
        with pytest.raises(NotAuthenticated):
            key_of(captured, captured.request, late)


def _texts(text: str) -> Iterator[str]:
    """The text with each one of its characters replaced, left out, and doubled."""
    for index, letter in enumerate(text):
        yield text[:index] + ("a" if letter != "a" else "b") + text[index + 1 :]
        yield text[:index] + text[index + 1 :]
        yield text[: index + 1] + text[index:]


def _changed(request: Request) -> Iterator[tuple[str, Request]]:
    """The request with one character of what is signed of it another one."""
    signed = request.signed
    for text in _texts(signed.method):
        yield f"method {text}", replace(request, signed=replace(signed, method=text))
    for text in _texts(signed.path):
        yield f"path {text}", replace(request, signed=replace(signed, path=text))
    for text in _texts(signed.query):
        yield f"query {text}", replace(request, signed=replace(signed, query=text))
    for text in _texts(signed.body.decode()):
        yield f"body {text}", replace(request, signed=replace(signed, body=text.encode()))
    names = _signed_names(request)
    for index, (name, value) in enumerate(signed.headers):
        for text in _texts(value) if name in names else ():
            headers = (*signed.headers[:index], (name, text), *signed.headers[index + 1 :])
            yield f"{name}: {text}", replace(request, signed=replace(signed, headers=headers))


def _signed_names(request: Request) -> set[str]:
    authorization = request.header("authorization")
    listed = authorization.partition("SignedHeaders=")[2].partition(",")[0]
    return {"authorization", *listed.split(";")} if authorization else set()


@CAPTURES
def test_no_byte_of_a_signed_request_can_be_another(captured: Captured) -> None:
    same = _meaning(captured.request.signed)
    count = 0
    for what, request in _changed(captured.request):
        count += 1
        if _meaning(request.signed) == same:
            continue  # the same request in other words, as & at the end of a query
        assert not _is_taken(captured, request), what
    assert count > 300


def _is_taken(captured: Captured, request: Request) -> bool:
    try:
        key_of(captured, request)
    except RingfenceError:
        return False
    return True


def _meaning(signed: Signed) -> object:
    """What a signature is over: form and order of a query, of a path's escapes and of spaces around commas are not."""
    headers = tuple((name, value.strip()) for name, value in signed.headers)
    path = path_in_form(signed.path)
    return signed.method, path, query_in_form(signed.query), headers, signed.body


@pytest.mark.parametrize(
    "captured", [it for it in ALIBABA if "Nonce" in it.text or "nonce" in it.text], ids=lambda it: it.name
)
def test_a_nonce_is_good_once(captured: Captured) -> None:
    claim = alibaba.claim_of(captured.request, Parameters.of(captured.request.signed.query))
    now = captured.at.timestamp()
    nonces = Nonces(now - 60)
    nonces.use(claim.key_id, claim.nonce, claim.date, claim.date + SKEW + 1, now)
    with pytest.raises(NotAuthenticated) as refused:
        nonces.use(claim.key_id, claim.nonce, claim.date, claim.date + SKEW + 1, now)
    assert refused.value.reason == "auth.replay"


def _without(*names: str) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        kept = tuple((name, value) for name, value in request.signed.headers if name not in names)
        return replace(request, signed=replace(request.signed, headers=kept))

    return change


def _with(name: str, value: str) -> Callable[[Request], Request]:
    return lambda request: replace(
        request, signed=replace(request.signed, headers=(*request.signed.headers, (name, value)))
    )


@pytest.mark.parametrize(
    "change",
    [
        _with("host", "elsewhere"),  # a header that is signed, once more
        _with("x-project-id", "another"),
        _with("x-security-token", "temporary"),
        _with("x-sdk-content-sha256", "UNSIGNED-PAYLOAD"),
        _with("authorization", "SDK-HMAC-SHA256 Access=AKTEST"),
        _without("host"),
        _without("x-sdk-date"),
        _without("authorization"),
    ],
)
def test_headers_that_are_there_twice_unsigned_or_missing_are_refused(change: Callable[[Request], Request]) -> None:
    for captured in HUAWEI:
        with pytest.raises(NotAuthenticated):
            key_of(captured, change(captured.request))
