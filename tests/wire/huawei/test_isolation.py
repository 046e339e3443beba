"""What another project has looks as if it was not there, wherever its id is said, and names are not taken for ids."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.control import basic
from ringfence.control.caller import Caller
from ringfence.resources.kind import Kind
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.operation import Operation
from ringfence.wire.huawei.registry import OPERATIONS
from ringfence.wire.request import Answer
from tests.wire.huawei.populated import OF_MEMBER, Project
from tests.wire.test_refusals import EXAMPLES, _check, asked

_WORDS: dict[str, Any] = {
    "direction": "ingress", "protocol": "tcp", "action": "deny", "ip_version": 4, "cidr": "10.0.9.0/24",
    "gateway_ip": "10.0.9.1", "name": "n", "ip": "10.9.0.0/16", "ip_set": "10.9.0.0/16", "extend_cidrs": "10.8.0.0/16",
    "vlan_id": "9", "count": 1, "key": "resource_name", "value": "n", "values": "v", "tags": "k*v", "priority": 1,
    "multiport": "80", "port_range_min": 80, "port_range_max": 80, "max_capacity": 9, "index": 0,
}  # fmt: skip
"""What the members of a body that are no ids say."""


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Project]]:
    with asked(tmp_path_factory.mktemp("service")) as service:
        yield Project.fresh(service, "ours"), Project.fresh(service, "theirs")


# --- one id of a request is another project's


def _body(members: tuple[Member, ...], own: dict[str, str], slot: str, id_: str) -> dict[str, Any]:
    """A body with what must be said, and the member that is looked at."""
    first = next((it for it in members if slot in _slots((it,))), None)
    return {it.name: _value(it, own, slot, id_) for it in members if it.required or it is first}


def _value(member: Member, own: dict[str, str], slot: str, id_: str) -> Any:
    if member.of:
        inner = _body(member.of, own, slot, id_)
        return [inner] if list in member.types else inner
    known = own[OF_MEMBER[member.name][0]] if member.name in OF_MEMBER else _WORDS.get(member.name, "x")
    said = id_ if member.name == slot else known
    return [said] if list in member.types else said


def _slots(members: tuple[Member, ...]) -> list[str]:
    inner = [slot for it in members for slot in _slots(it.of)]
    return [*(it.name for it in members if it.name in OF_MEMBER and not it.of), *inner]


def _cases() -> list[tuple[Operation, str]]:
    """Every call with each part of its path and each member of its body that is an id."""
    found = []
    for operation in OPERATIONS:
        named = [part[1:-1] for part in operation.path.split("/") if part[:1] == "{"]
        found += [(operation, slot) for slot in (*named, *_slots(operation.body)) if slot in OF_MEMBER]
    return found


def _said(project: Project, operation: Operation, slot: str, id_: str) -> Answer:
    own, path = project.ids, operation.path.replace("{key}", "k").replace("{tag_key}", "k")
    for name in OF_MEMBER:
        path = path.replace(f"{{{name}}}", id_ if name == slot else own[OF_MEMBER[name][0]])
    body = _body(operation.body, own, slot, id_)
    if path.endswith("/action"):
        body["action"] = "create" if operation.only else "delete"
    return project.answer(operation.method, path, body if operation.method in ("POST", "PUT") else None)


def test_what_others_have_is_not_there_and_names_are_no_ids(projects: tuple[Project, Project]) -> None:
    ours, theirs = projects
    state, nobody = ours.service.control.state, str(uuid.uuid4())
    names = {it.id: it.name for it in state.resources.values() if it.account == ours.account}
    for operation, slot in _cases():
        wanted = _told(_said(ours, operation, slot, nobody), nobody)
        assert wanted[0] == 404 or slot in wanted[1] or "ID" in wanted[1], (operation.label, slot, wanted)
        for what in OF_MEMBER[slot]:
            for id_ in filter(None, (theirs.ids[what], names.get(ours.ids[what]))):
                assert _told(_said(ours, operation, slot, id_), id_) == wanted, (operation.label, slot, id_)
    assert ours.service.control.state is state


def _told(answer: Answer, id_: str) -> tuple[int, Any]:
    """Status and body of an answer, but for what differs by the id alone."""
    told = _check(answer)
    told.pop("request_id", None)
    text = json.dumps(told).replace(id_, "ID")
    return answer.status, text.partition("; known:")[0].partition("; did you mean")[0]


# --- anything, with ids of what is there

_HOSTILE: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 10**20, 1.5, "", "\0", "\ud800", "../..", "a/b", "%2F", "x" * 5000, [], {}, [None], [[]], "*"]
)


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Project]]:
    with asked(tmp_path_factory.mktemp("victims")) as service:
        yield Project.fresh(service, "ours"), Project.fresh(service, "theirs")


def _drawn(draw: st.DrawFn, member: Member, ids: st.SearchStrategy[str]) -> Any:
    """A value for a member: mostly one that fits, or an id, and now and then anything."""
    if draw(st.integers(0, 15)) == 0:
        return draw(_HOSTILE)
    if member.of:
        inner = {it.name: _drawn(draw, it, ids) for it in member.of if it.required or draw(st.booleans())}
        return [inner] * draw(st.integers(0, 3)) if list in member.types else inner
    fits = st.booleans() if bool in member.types else st.just(_WORDS.get(member.name, "x"))
    said = draw(ids if member.name in OF_MEMBER else st.one_of(fits, fits, fits, ids, _HOSTILE))
    return [said] * draw(st.integers(0, 2)) if list in member.types else said


@st.composite
def requests(draw: st.DrawFn) -> tuple[Operation, str, dict[str, str], Any]:
    """A call; what says which ids it names, of ours and of theirs, is told by names: ``ours.group``."""
    operation = draw(st.sampled_from(OPERATIONS))
    names = st.sampled_from(sorted({name for known in OF_MEMBER.values() for name in known}))
    ids = st.tuples(st.sampled_from(["ours", "ours", "ours", "theirs"]), names).map(lambda it: f"<{it[0]}.{it[1]}>")
    path = operation.path
    for part in [part for part in path.split("/") if part[:1] == "{" and part != "{project_id}"]:
        known = st.sampled_from([f"<ours.{name}>" for name in OF_MEMBER.get(part[1:-1], ("group",))])
        path = path.replace(part, draw(st.one_of(known, known, known, ids, st.sampled_from(["\0", "%2F", "k"]))))
    query = {name: draw(st.one_of(ids, _HOSTILE.map(str))) for name in operation.query if draw(st.integers(0, 5)) == 0}
    query = {name: value.encode(errors="replace").decode() for name, value in query.items()}
    body = {it.name: _drawn(draw, it, ids) for it in operation.body}
    return operation, path, query, body if operation.method in ("POST", "PUT") else None


@settings(EXAMPLES, max_examples=120)
@given(requests())
def test_no_request_fails_or_reaches_what_others_have(
    victims: tuple[Project, Project], request_: tuple[Operation, str, dict[str, str], Any]
) -> None:
    ours, theirs = victims
    operation, path, query, body = request_
    ids = {f"<{who}.{name}>": id_ for who, it in (("ours", ours), ("theirs", theirs)) for name, id_ in it.ids.items()}
    said = json.dumps([path, query, body])
    for name, id_ in ids.items():
        said = said.replace(name, id_)
    kept = theirs.everything()
    path, query, body = json.loads(said)
    answer = ours.answer(operation.method, path, body, **query)
    _check(answer)
    known = said + repr(ours.everything())  # a name of ours may be an id of theirs: a request before this one said so
    seen = [id_ for id_ in theirs.ids.values() if id_ in answer.body.decode() and id_ not in known]
    assert not seen, answer
    assert theirs.everything() == kept


# --- a server of the other cloud's profile


def test_every_version_makes_groups_of_its_own_cloud(tmp_path: Path) -> None:
    with asked(tmp_path) as service:
        with service.control.change(Caller("operator", operator=True), "Test") as draft:
            basic.create(draft, Kind.SETTINGS, {"profile": "alibaba"})
        project = Project(service, "operator", service.root)
        said = {"security_group": {"name": "g"}}
        for version in ("v1/{project_id}", "v2.0", "v3/{project_id}/vpc"):
            path = f"/{version}/security-groups"
            assert len(project.ask("POST", path, said)["security_group"]["security_group_rules"]) == 4, path
