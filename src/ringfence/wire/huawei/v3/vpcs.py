"""VPCs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, actions_of
from ringfence.errors import Conflict, FieldProblem, InvalidFields, NotationError
from ringfence.model.address import Family, Prefix
from ringfence.model.profile import HUAWEI
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import SharedVpc
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import PROJECT, check_project, narrowed
from ringfence.wire.huawei.operation import Call, Operation, deleting
from ringfence.wire.huawei.said import DESCRIPTION, DRY_RUN, ENTERPRISE_PROJECT, NAME, NEW_NAME, named
from ringfence.wire.huawei.tagged import TAG, said_tags, tags_of
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.request import Told

_ALL: Final = "/v3/{project_id}/vpc/vpcs"
_ONE: Final = f"{_ALL}/{{vpc_id}}"
_NOT_THERE: Final = "vpc.no_such_cidr"


def operations() -> Iterator[Operation]:
    """The calls."""
    cidr, tags = Member("cidr", (str,), required=True), Member("tags", (list,), of=TAG)
    yield Operation(
        "create_vpc",
        "POST",
        _ALL,
        "Make a VPC of this cloud's profile. It is told as vpc, which the SDK's model leaves out.",
        actions_of(Verb.CREATE, Kind.VPC),
        _create,
        201,
        body=(_body(NAME, DESCRIPTION, cidr, ENTERPRISE_PROJECT, tags), DRY_RUN),
    )
    yield Operation(
        "list_vpcs",
        "GET",
        _ALL,
        "The VPCs, those that other APIs made, too.",
        (ram.DESCRIBE_VPCS,),
        _list,
        query=("limit", "marker", "id", "enterprise_project_id", "name", "description", "cidr"),
    )
    yield Operation("show_vpc", "GET", _ONE, "A VPC; IPv6 prefixes cannot be told.", (ram.DESCRIBE_VPCS,), _show)
    yield Operation(
        "update_vpc",
        "PUT",
        _ONE,
        "Call a VPC otherwise, or describe it anew.",
        actions_of(Verb.UPDATE, Kind.VPC),
        _update,
        body=(_body(NEW_NAME, DESCRIPTION), DRY_RUN),
    )
    yield Operation(
        "delete_vpc",
        "DELETE",
        _ONE,
        "Delete a VPC that nothing is in.",
        actions_of(Verb.DELETE, Kind.VPC),
        deleting(Kind.VPC, "vpc_id"),
        204,
    )
    extended = (_body(Member("extend_cidrs", (list,), required=True)), DRY_RUN)
    for name, word, doc, work in (
        ("add_vpc_extend_cidr", "add", "Give a VPC more IPv4 prefixes; IPv6 ones are refused.", _extend),
        ("remove_vpc_extend_cidr", "remove", "Take IPv4 prefixes from a VPC, not the one it is shown with.", _reduce),
    ):
        path = f"{_ONE}/{word}-extend-cidr"
        yield Operation(name, "PUT", path, doc, actions_of(Verb.UPDATE, Kind.VPC), work, body=extended)


def _body(*of: Member) -> Member:
    return Member("vpc", (dict,), required=True, of=of)


def _create(call: Call) -> Told:
    said = call.json["vpc"]
    check_project(said.get("enterprise_project_id"))
    wanted = {**named(said), "cidrs": [str(_prefix("cidr", said["cidr"]))], "profile": HUAWEI.name}
    wanted["tags"] = said_tags(said.get("tags") or (), new=True)
    return call.change(lambda draft: {"vpc": _shown(draft.state, basic.create(draft, Kind.VPC, wanted))})


def _update(call: Call) -> Told:
    return _changed(call, lambda _: named(call.json["vpc"]))


def _changed(call: Call, said: Any) -> Told:
    """Change the VPC of the path by what is said of it, given its prefixes."""

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.VPC, call.path["vpc_id"])
        return {"vpc": _shown(draft.state, basic.update(draft, Kind.VPC, found.id, said(found)))}

    return call.change(work)


# --- prefixes


def _extend(call: Call) -> Told:
    new = _said_prefixes(call)

    def said(vpc: Resource) -> dict[str, Any]:
        there = cidrs_of(vpc)
        if twice := [it for it in new if it in there]:
            raise Conflict(f"{vpc.key} has {twice[0]} already", field="extend_cidrs", value=str(twice[0]))
        return {"cidrs": [*map(str, there), *map(str, new)]}

    return _changed(call, said)


def _reduce(call: Call) -> Told:
    gone = _said_prefixes(call)

    def said(vpc: Resource) -> dict[str, Any]:
        there = cidrs_of(vpc)
        if astray := [it for it in gone if it not in extended(there)]:
            what = f"{vpc.key} has no extended prefix {astray[0]}"
            raise InvalidFields((FieldProblem("extend_cidrs", what, "give one it has", _NOT_THERE, str(astray[0])),))
        return {"cidrs": [str(it) for it in there if it not in gone]}

    return _changed(call, said)


def _said_prefixes(call: Call) -> list[Prefix]:
    said = call.json["vpc"]["extend_cidrs"]
    if not said:
        raise invalid("extend_cidrs", "give one at least", said)
    return [_prefix("extend_cidrs", text) for text in said]


def _prefix(field: str, text: str) -> Prefix:
    try:
        found = Prefix.parse(text)
    except NotationError as error:
        raise InvalidFields((FieldProblem(field, error.what, error.right, error.code, text),)) from None
    if found.family is Family.IPV6:
        raise invalid(field, "give an IPv4 prefix; a VPC gets IPv6 through its subnets, or by the native API", text)
    return found


def cidrs_of(vpc: Resource) -> tuple[Prefix, ...]:
    """The prefixes of a VPC."""
    return cast("SharedVpc", vpc.value).vpc.cidrs


def extended(cidrs: Sequence[Prefix]) -> list[Prefix]:
    """The IPv4 prefixes that a VPC has besides the one it is shown with."""
    return [it for it in cidrs if it.family is Family.IPV4][1:]


# --- told


def _list(call: Call) -> Told:
    state = call.state
    told = (_shown(state, it) for it in call.visible(Kind.VPC))
    return call.page(narrowed(call, told, ("id", "name", "description", "cidr")), "vpcs")


def _show(call: Call) -> Told:
    return {"vpc": _shown(call.state, call.find(Kind.VPC, call.path["vpc_id"]))}


def _shown(state: State, vpc: Resource) -> dict[str, Any]:
    cidrs = cidrs_of(vpc)
    subnets = sum(key.kind is Kind.SUBNET for key in state.referrers(vpc.key))
    return {
        "id": vpc.id,
        "name": vpc.name,
        "description": vpc.description,
        "cidr": next((str(it) for it in cidrs if it.family is Family.IPV4), ""),
        "extend_cidrs": list(map(str, extended(cidrs))),
        "status": "ACTIVE",
        "project_id": vpc.account,
        "enterprise_project_id": PROJECT,
        "created_at": time_of(vpc.created),
        "updated_at": time_of(vpc.created),
        "cloud_resources": [{"resource_type": "virsubnet", "resource_count": subnets}],
        "tags": tags_of(vpc),
        "block_service_endpoint_states": "off",
        "enable_network_address_usage_metrics": False,
    }
