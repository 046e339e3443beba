"""What is malformed, unsigned or not allowed never reaches an operation, and never is a failure of the server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.control import basic
from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.identity import Identities
from ringfence.resources.kind import Kind
from ringfence.security.keyring import Keyring
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret
from ringfence.store.store import Store
from ringfence.wire.alibaba.operation import Operation as AlibabaOperation
from ringfence.wire.alibaba.registry import OPERATIONS as ALIBABA
from ringfence.wire.alibaba.surface import Alibaba
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.operation import Operation as HuaweiOperation
from ringfence.wire.huawei.registry import OPERATIONS as HUAWEI
from ringfence.wire.huawei.surface import Huawei
from ringfence.wire.request import Answer, Request, Service
from tests.wire.alibaba.peopled import GOOD, Peopled, kind_of
from tests.wire.raw import Raw

EXAMPLES = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@dataclass(frozen=True)
class Asked:
    """A service in this process: its surfaces, its control, and who may do everything in an account."""

    control: Control
    alibaba: Alibaba
    huawei: Huawei
    root: Raw

    def answer(self, request: Request) -> Answer:
        surface = self.huawei if self.huawei.claims(request) else self.alibaba
        return surface.answer(request)


@contextmanager
def asked(directory: Path) -> Iterator[Asked]:
    with closing(Store.open(f"sqlite:///{directory}/ringfence.db")) as store:
        control = Control(store)
        identities = Identities(control, Keyring.load(directory / "keys"))
        key = identities.bootstrap()
        assert key
        service = Service(control, identities)
        yield Asked(control, Alibaba(service), Huawei(service), Raw(key))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(tmp_path_factory.mktemp("service")) as made:
        yield made


# --- requests of any kind

_REAL = "\ue000"  # no text has it: of private use
"""Begins what stands for an id that is there."""
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Co", "Cs")), max_size=12)
_VALUES = st.one_of(
    _TEXTS,
    st.sampled_from(["", "0", "-1", "1", "65536", "22/80", "-1/-1", "10.0.0.0/8", "::/0", "any", "TCP", "all", "true"]),
    st.sampled_from(
        ["accept", "drop", "cn-hangzhou", "operator", "sg-1", "x" * 600, "null", "[]", '["sg-1"]', "99999999999"]
    ),
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _VALUES),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def rpc(draw: st.DrawFn) -> tuple[AlibabaOperation, dict[str, str]]:
    """An operation, with some of its parameters saying anything, and now and then one that it does not know."""
    operation = draw(st.sampled_from(sorted(ALIBABA.values(), key=lambda it: it.name)))
    names = sorted(operation.known) or ["RegionId"]
    needed = [it.name for it in operation.fields if it.required] if draw(st.integers(0, 9)) else []
    picked = draw(st.lists(st.sampled_from([*names, "RegionId", "DryRun", "ClientToken"]), max_size=8))
    said = {
        re.sub(r"\.N(?=\.|$)", lambda _: f".{draw(st.sampled_from('12'))}", name): draw(_saying(name))
        for name in ["RegionId", *needed, *picked]
    }
    return operation, said | draw(st.sampled_from(({}, {}, {}, {"": "x"}, {"Moon.1": ""}, {"Tag.N.Key": "a"})))


def _saying(name: str) -> st.SearchStrategy[str]:
    """What a parameter may say: mostly what fits it, of ids those that are there, by their number."""
    fits = st.sampled_from([f"{_REAL}{number}" for number in range(3)]) if kind_of(name) else None
    if good := GOOD.get(name.rpartition(".")[2]):
        fits = st.just(good)
    return st.one_of(fits, fits, _VALUES) if fits else _VALUES


def _bodies(members: tuple[Member, ...]) -> st.SearchStrategy[Any]:
    """Bodies that look right from afar."""
    return st.fixed_dictionaries({}, optional={each.name: _values(each) for each in members})


def _values(member: Member) -> st.SearchStrategy[Any]:
    inner = _bodies(member.of) if member.of else _VALUES
    own = st.lists(inner, max_size=3) if list in member.types else inner if dict in member.types else _JSON
    return st.one_of(own, own, _JSON)


@st.composite
def rest(draw: st.DrawFn) -> tuple[HuaweiOperation, str, str, bytes]:
    """A call with any path parameters, query and body."""
    operation = draw(st.sampled_from(HUAWEI))
    path = operation.path.replace("{project_id}", "operator")
    path = re.sub(r"{\w+}", lambda _: draw(st.one_of(_VALUES, _TEXTS)).replace("/", ""), path)
    names = st.sampled_from([*operation.query, "limit", "marker"])
    query = "&".join(f"{draw(names)}={draw(_VALUES.map(_quoted))}" for _ in range(draw(st.integers(0, 3))))
    body = draw(st.one_of(_bodies(operation.body).map(_encoded), _JSON.map(_encoded), st.binary(max_size=20)))
    return operation, path, query, body if operation.method in ("POST", "PUT") else b""


def _quoted(text: str) -> str:
    return quote(text)


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _check(answer: Answer) -> Any:
    """Every answer is one that the vendor's SDK can read, and none says that the server failed."""
    assert answer.status < 500, answer.body
    told = json.loads(answer.body) if answer.body else None
    if answer.status >= 400:
        assert _code(told), told
    return told


def _code(told: Any) -> str:
    """The vendor's code, wherever its version tells it."""
    within = told.get("NeutronError", told)
    return str(next(within[name] for name in ("Code", "error_code", "code") if name in within))


@pytest.fixture(scope="module")
def peopled(service: Asked) -> Peopled:
    return Peopled.of(service.alibaba)


@EXAMPLES
@given(rpc())
def test_no_parameters_make_alibabas_apis_fail(
    peopled: Peopled, request_: tuple[AlibabaOperation, dict[str, str]]
) -> None:
    operation, drawn = request_
    said = {name: peopled.real(name, text[1:]) if text[:1] == _REAL else text for name, text in drawn.items()}
    _check(peopled.alibaba.answer(peopled.raw.rpc(operation.name, operation.product, said)))


@EXAMPLES
@given(rest())
def test_no_request_makes_huaweis_apis_fail(service: Asked, request_: tuple[HuaweiOperation, str, str, bytes]) -> None:
    operation, path, query, body = request_
    _check(service.answer(service.root.rest(operation.method, path, query, body)))


# --- who may ask at all


def _every(raw: Raw) -> Iterator[tuple[str, Request, bool]]:
    """Every operation, asked for with nothing said: its name, the request, and whether it is for everybody."""
    for (name, product), operation in ALIBABA.items():
        yield f"{product} {name}", raw.rpc(name, product, {}), operation.own
    for call in HUAWEI:
        path = call.path.replace("{project_id}", "operator").replace("{", "x").replace("}", "x")
        yield call.label, raw.rest(call.method, path, "", b"" if call.method in ("GET", "DELETE") else b"{}"), call.own


def test_nobody_gets_anywhere_without_a_good_signature(service: Asked) -> None:
    before = service.control.state
    wrong = Raw(AccessKey(service.root.key.id, Secret("x" * 30)))
    stranger = Raw(AccessKey("LTAI" + "x" * 20, service.root.key.secret))
    for name, request, _ in [*_every(wrong), *_every(stranger)]:
        told = _check(service.answer(request))
        codes = ("SignatureDoesNotMatch", "InvalidAccessKeyId.NotFound", "APIGW.0301")
        assert _code(told) in codes, name
    for name, request, _ in _every(service.root):
        signed = request.signed
        kept = tuple((header, value) for header, value in signed.headers if header != "authorization")
        query = "&".join(part for part in signed.query.split("&") if not part.startswith("Signature="))
        answer = service.alibaba.answer(replace(request, signed=replace(signed, headers=kept, query=query)))
        assert answer.status in (400, 404), name
    assert service.control.state is before


def test_a_user_whom_no_policy_allows_it_gets_nothing(service: Asked) -> None:
    raw = Raw(_key_of_user(service))
    before = service.control.state
    for name, request, own in _every(raw):
        answer = service.answer(request)
        told = _check(answer)
        if not own:
            assert answer.status == 403, (name, told)
            code = _code(told)
            assert code in ("Forbidden.RAM", "VPC.2201"), name
            assert "AccessDeniedDetail" in told or code == "VPC.2201"
    assert service.control.state is before


def _key_of_user(service: Asked) -> AccessKey:
    identities = service.alibaba.service.identities
    with service.control.change(Caller("operator", operator=True), "CreateUser") as draft:
        user = basic.create(draft, Kind.USER, {"name": "bare"})
        resource, secret = identities.create_key(draft, user.id)
    return AccessKey(resource.id, secret)
