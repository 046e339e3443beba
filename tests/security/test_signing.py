"""Signed requests: the signer's own are accepted once, and nothing else is."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.errors import NotAuthenticated
from ringfence.security.canonical import CanonicalRequest, path_in_form, query_in_form, sha256_hex
from ringfence.security.nonces import Nonces
from ringfence.security.secret import Secret
from ringfence.security.signing import SKEW, Request, Verifier, signed_headers

KEY, SECRET = "LTAIabcdefghij0123456789", Secret("a secret of thirty characters!")
NOW = datetime(2026, 11, 22, 9, 30, 7, tzinfo=UTC).timestamp()
PLAIN = Request(
    "POST", "/v1/groups/sg%2Da", "b=2&a=%E4%B8%AD", (("Host", "127.0.0.1:8080"), ("If-Match", '"7"')), b"{}"
)


@dataclass
class Desk:
    """A verifier with one key and a clock that stands still until it is moved."""

    now: float = NOW
    nonces: Nonces = field(default_factory=lambda: Nonces(since=0))

    def verify(self, request: Request) -> str:
        return Verifier({KEY: SECRET}.get, self.nonces, lambda: self.now).verify(request)

    def refusal(self, request: Request) -> NotAuthenticated:
        with pytest.raises(NotAuthenticated) as refused:
            self.verify(request)
        assert SECRET.reveal() not in str(refused.value)
        return refused.value


def signed(request: Request = PLAIN, *, key: str = KEY, secret: Secret = SECRET, at: float = NOW) -> Request:
    added = signed_headers(request, key, secret, datetime.fromtimestamp(at, UTC))
    return replace(request, headers=(*request.headers, *added.items()))


def changed(request: Request, **headers: str | None) -> Request:
    """The request with other values of headers (none: without it); names with _ for -."""
    new = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = [(name, value) for name, value in request.headers if name.lower() not in new]
    return replace(request, headers=(*kept, *((name, value) for name, value in new.items() if value is not None)))


def header(request: Request, name: str) -> str:
    return {name.lower(): value for name, value in request.headers}[name]


WORDS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=12)
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    path=WORDS.map("/v1/{}".format),
    query=WORDS,
    headers=st.builds(
        lambda host, more: (("host", host), *more.items()),
        st.from_regex(r"[a-z0-9.:]{1,20}", fullmatch=True),
        st.dictionaries(
            st.sampled_from(["content-type", "If-Match", "idempotency-key", "x-ringfence-agent"]),
            WORDS.map(lambda word: f"v{word}v"),
        ),
    ),
    body=st.binary(max_size=30),
)


def _other(data: Any, where: int, by: int) -> Any:
    """The data with one character or byte changed into another."""
    where %= len(data)
    if isinstance(data, bytes):
        return data[:where] + bytes([data[where] ^ by]) + data[where + 1 :]
    return data[:where] + chr(33 + (ord(data[where]) - 33 + by) % 94) + data[where + 1 :]


@given(REQUESTS, st.integers(min_value=0), st.integers(1, 93), st.data())
def test_one_byte_changed_anywhere_is_refused(request: Request, where: int, by: int, data: st.DataObject) -> None:
    original = signed(request)
    assert Desk().verify(original) == KEY
    names = [name for name, _ in original.headers]
    part = data.draw(st.sampled_from(["method", "path", "query", "body", *names]))
    if part in names:
        new = {part.lower(): str(_other(header(original, part.lower()), where, by))}
        forged = changed(original, **new)
    elif before := getattr(original, part):
        forged = replace(original, **{part: _other(before, where, by)})
    else:
        forged = replace(original, body=b"x")
    assert Desk().refusal(forged).reason.startswith("auth.")


@given(REQUESTS, st.sampled_from(["signature", "headers", "credential"]))
def test_of_the_authorization_no_character_can_be_left_out_or_added(request: Request, part: str) -> None:
    original = signed(request)
    text = header(original, "authorization")
    for where in {"signature": (-1, -64), "headers": (60, 90), "credential": (35, 40)}[part]:
        for forged in (text[:where] + text[where:][1:], text[:where] + "a" + text[where:]):
            Desk().refusal(changed(original, authorization=forged))


WELL = signed()
AUTHORIZATION = header(WELL, "authorization")


@pytest.mark.parametrize(
    ("request_", "code", "says"),
    [
        (PLAIN, "missing", "no Authorization header; sign it with an access key or send a token"),
        (changed(WELL, authorization=""), "malformed", "send it once, as: RINGFENCE1-HMAC-SHA256 Credential="),
        (changed(WELL, authorization="Basic Zm9vOmJhcg=="), "malformed", "not of the form"),
        (changed(WELL, authorization=AUTHORIZATION.replace("SHA256 ", "SHA1 ")), "malformed", "not of the form"),
        (changed(WELL, authorization=AUTHORIZATION[:-1] + "F"), "malformed", "not of the form"),
        (changed(WELL, authorization=AUTHORIZATION.upper()), "malformed", "not of the form"),
        (replace(WELL, headers=(*WELL.headers, ("Authorization", AUTHORIZATION))), "malformed", "send it once"),
        (changed(WELL, authorization=AUTHORIZATION.replace("host;", "")), "missing", "not signed: host;"),
        (changed(WELL, authorization=AUTHORIZATION.replace("if-match;", "")), "missing", "not signed: if-match"),
        (changed(WELL, authorization=AUTHORIZATION.replace("host;if-match", "if-match;host")), "malformed", "sorted"),
        (changed(WELL, authorization=AUTHORIZATION.replace("host;", "host;host;")), "malformed", "each header once"),
        (replace(WELL, headers=(*WELL.headers, ("HOST", "127.0.0.1:8080"))), "malformed", "repeated: host; send"),
        (replace(WELL, headers=(*WELL.headers, ("Idempotency-Key", "k"))), "missing", "not signed: idempotency-key"),
        (
            replace(WELL, headers=(*WELL.headers, ("X-Ringfence-Later", "k"))),
            "missing",
            "not signed: x-ringfence-later",
        ),
        (changed(WELL, host=None), "missing", "no host header; send and sign it"),
        (changed(WELL, x_ringfence_nonce=None), "missing", "no x-ringfence-nonce header"),
        (changed(WELL, x_ringfence_date="2026-13-22T09:30:07Z"), "malformed", "in UTC as 2026-01-31T08:00:00Z"),
        (changed(WELL, x_ringfence_date="2026-11-22T09:30:07+00:00"), "malformed", "in UTC as"),
        (changed(WELL, x_ringfence_date="2026-11-22T09:29:07Z"), "signature", "does not fit"),
        (signed(key="LTAIxxxxxxxxxx0123456789"), "signature", "does not fit the request, or there is no such active"),
        (signed(secret=Secret("another")), "signature", "the server's canonical request has the SHA-256"),
        (signed(at=NOW - SKEW - 1), "clock", "901 s behind the server's clock; it may differ by 900 s"),
        (signed(at=NOW + SKEW + 1), "clock", "901 s ahead of the server's clock"),
    ],
)
def test_every_refusal_says_what_would_be_right(request_: Request, code: str, says: str) -> None:
    refusal = Desk().refusal(request_)
    assert refusal.reason == f"auth.{code}"
    assert says in str(refusal)


def _by_hand(request: Request, **headers: str) -> Request:
    """A request whose signature fits, with values of headers that `signed_headers` would not write."""
    unsigned = changed(signed(request), **headers)
    names = tuple(sorted({name.lower() for name, _ in unsigned.headers} - {"authorization"}))
    text = CanonicalRequest(
        request.method, request.path, request.query, unsigned.headers, names, sha256_hex(request.body)
    ).digest
    made = hmac.digest(SECRET.reveal().encode(), f"RINGFENCE1-HMAC-SHA256\n{text}".encode(), "sha256").hex()
    value = f"RINGFENCE1-HMAC-SHA256 Credential={KEY}, SignedHeaders={';'.join(names)}, Signature={made}"
    return changed(unsigned, authorization=value)


def test_a_signature_written_by_hand_is_as_good_and_as_strictly_judged() -> None:
    """The scheme is what its description says: the text is built here without the signer."""
    desk = Desk()
    assert desk.verify(_by_hand(PLAIN, x_ringfence_nonce="n" * 16)) == KEY
    for nonce in ("short", "n" * 65, "with space 0123456"):
        assert desk.refusal(_by_hand(PLAIN, x_ringfence_nonce=nonce)).reason == "auth.malformed"
    assert desk.refusal(_by_hand(PLAIN, x_ringfence_content_sha256=sha256_hex(b"other"))).reason == "auth.body"


def test_a_replay_is_refused_for_as_long_as_the_date_would_be_accepted_and_then_forgotten() -> None:
    for at in (NOW - SKEW, NOW, NOW + SKEW):
        desk, request = Desk(), signed(at=at)
        desk.verify(request)
        for later in (0, 1, SKEW, 2 * SKEW):
            desk.now = NOW + later
            assert desk.refusal(request).reason == ("auth.replay" if desk.now <= at + SKEW else "auth.clock")
        desk.now = NOW + 2 * SKEW + 61
        desk.verify(signed(at=desk.now))
        assert len(desk.nonces) == 1


def test_a_refused_request_takes_no_nonce_and_memory_is_bounded() -> None:
    desk = Desk(nonces=Nonces(since=0, most=3))
    desk.refusal(replace(WELL, body=b"forged"))
    assert len(desk.nonces) == 0
    for _ in range(3):
        desk.verify(signed())
    assert "use a token" in str(desk.refusal(signed()))
    desk.now += 2 * SKEW
    assert desk.verify(signed(at=desk.now)) == KEY  # room again: nothing is refused for ever


def test_what_was_signed_before_a_restart_is_refused_after_it() -> None:
    desk = Desk(nonces=Nonces(since=NOW + 0.9))
    assert desk.refusal(signed(at=NOW - 1)).reason == "auth.clock"
    assert desk.verify(signed(at=NOW)) == KEY


def test_of_a_request_sent_many_times_at_once_one_is_accepted() -> None:
    desk = Desk()

    def accepted(request: Request) -> bool:
        try:
            return desk.verify(request) == KEY
        except NotAuthenticated as refused:
            return refused.reason != "auth.replay"  # any other refusal would be counted as too many

    requests = [signed() for _ in range(50)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(accepted, requests * 8)) == len(requests)


ACS3 = """\
host:127.0.0.1:39739
x-acs-version:2014-05-26
x-acs-action:JoinSecurityGroup
user-agent:AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2
x-acs-date:2026-11-22T02:13:17Z
x-acs-signature-nonce:85dd550ea96bcc4462607f8e17861f4d
accept:application/json
x-acs-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
x-acs-credentials-provider:static_ak"""
RUN_INSTANCES = """\
host:ecs.cn-shanghai.aliyuncs.com
x-acs-action:RunInstances
x-acs-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
x-acs-date:2023-10-26T10:22:32Z
x-acs-signature-nonce:3156853299f313e23d1673dc12e1703d
x-acs-version:2014-05-26"""
HUAWEI = """\
User-Agent:huaweicloud-usdk-python/3.0; os/Linux##1_SMP_PREEMPT_DYNAMIC_@0#x86_64 python/3.11.7 impl/CPython; \
app/060e1075-562c-4550-acc3-1df42384458d
Content-Type:application/json
X-Project-Id:0123456789abcdef0123456789abcdef
X-Sdk-Date:{date}
Host:127.0.0.1:{port}"""
LIST_QUERY = (
    "description=x%20y&enabled=true&ethertype=IPv4&ethertype=IPv6&id=11111111-2222-3333-4444-555555555555&id=b&limit=2"
    "&priority=1&priority=2&security_group_id=11111111-2222-3333-4444-555555555555"
)
CREATE_BODY = rb'{"security_group": {"name": "sg \u4e2d", "description": "d", "tags": [{"key": "k", "value": "v"}]}}'


def _acs3(canonical: CanonicalRequest) -> str:
    return f"ACS3-HMAC-SHA256\n{canonical.digest}"


def _huawei(canonical: CanonicalRequest) -> str:
    date = {name.lower(): value for name, value in canonical.headers}["x-sdk-date"]
    return f"SDK-HMAC-SHA256\n{date}\n{canonical.digest}"


Around = Callable[[CanonicalRequest], str]
PROJECT = "/v3/0123456789abcdef0123456789abcdef/vpc"


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "around", "secret", "signature"),
    [
        ("POST", "/", "SecurityGroupId=sg-1&InstanceId=i-1", ACS3, b"", _acs3, "testsecret",
         "67c3788123b69428f0d5cbf98b771d74fa985d31acd9a9975b26caf6eaab0984"),
        ("POST", "/", "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai", RUN_INSTANCES,
         b"", _acs3, "YourAccessKeySecret", "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"),
        ("POST", f"{PROJECT}/security-groups", "", HUAWEI.format(date="20261122T021322Z", port=40663), CREATE_BODY,
         _huawei, "SKTEST", "887e12742d5f6f9223ddcce821a11bf03269c3cb16c6e4cd3fa90a1e4bf4e2bb"),
        ("GET", f"{PROJECT}/security-group-rules", LIST_QUERY, HUAWEI.format(date="20261122T021322Z", port=40663), b"",
         _huawei, "SKTEST", "52a9f1a06792313edf564efb7ea6845818bcb49b0632f916515ee6bb379e359d"),
    ],
    ids=["ACS3", "ACS3-published", "Huawei-create", "Huawei-list"],
)  # fmt: skip
def test_the_canonical_request_is_that_of_the_clouds_own_clients(
    method: str, path: str, query: str, headers: str, body: bytes, around: Around, secret: str, signature: str
) -> None:
    """Requests captured from the vendors' clients, and the vector that Alibaba Cloud publishes for RunInstances."""
    pairs = [(name, value) for name, _, value in (line.partition(":") for line in headers.splitlines())]
    names = tuple(sorted(name.lower() for name, _ in pairs))
    path = path_in_form(path) if around is _huawei else path
    canonical = CanonicalRequest(method, path, query_in_form(query), pairs, names, sha256_hex(body))
    assert hmac.digest(secret.encode(), around(canonical).encode(), "sha256").hex() == signature


@pytest.mark.parametrize(
    ("query", "path", "canonical_query", "canonical_path"),
    [
        ("b=1+2&a=%2b&a=", "/a%2fb/~x", "a=&a=%2B&b=1%202", "/a/b/~x/"),
        ("=x&k", "/", "=x&k=", "/"),
        ("a=%ff*'", "/%e4%b8%ad/", "a=%FF%2A%27", "/%E4%B8%AD/"),
        ("", "", "", "/"),
    ],
)
def test_paths_and_queries_have_one_form(query: str, path: str, canonical_query: str, canonical_path: str) -> None:
    assert query_in_form(query) == canonical_query
    assert path_in_form(path) == canonical_path
