"""What each file is: whose answer, or a state of Terraform. A file may hold several answers in one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ringfence.importing import alibaba_network, aws, aws_network, huawei, openstack, terraform
from ringfence.importing.cloud import Cloud
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Outcome
from ringfence.importing.source import Item


class FileKind(StrEnum):
    """What a file may be."""

    AWS = "aws"
    ALIBABA = "alibaba"
    HUAWEI = "huawei"
    OPENSTACK = "openstack"
    TERRAFORM = "terraform"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of an API, one list of a command line, or one state."""

    kind: FileKind
    item: Item


_AWS: Final[Mapping[str, Read]] = {**aws.LISTS, **aws_network.LISTS}
_AWS_PASSED: Final = fields("ResponseMetadata $metadata")
_LISTS_PASSED: Final = fields("page_info request_id security_groups_links security_group_rules_links ports_links count")
_ORDER: Final = (
    *("Vpcs", "vpcs", "Subnets", "subnets", "VSwitches", "SecurityGroups", "security_groups", "security_group"),
    *("NetworkInterfaceSets", "NetworkInterfaces"),
)
"""Lists that are read before the others, as those name what they tell."""
_HUAWEI_ONLY: Final = ("multiport", "action", "priority", "enabled", "enterprise_project_id", "vpc_id")
_HUAWEI_ONLY_MORE: Final = ("ip_set", "ip_extra_set", "extend_cidrs", "request_vpc_info", "gateway_ip_v6", "cidr_v6")
_OPENSTACK_ONLY: Final = (
    *("revision_number", "port_range_min", "stateful", "ip_version", "cidr", "addresses", "shared", "normalized_cidr"),
    *("fixed_ips", "subnetpool_id"),
)
_RIGHT: Final = "say what it is with --kind aws, alibaba, huawei, openstack or terraform"


def answers_of(item: Item, kind: FileKind | None) -> Iterator[Answer]:
    """The answers of a file; raises `BadImportFile` for one that is none."""
    if isinstance(item.value, list) and item.value and not _is_table(item):
        for each in item.items():
            each.mapping()
            yield Answer(kind or _kind_of(each), each)
    else:
        yield Answer(kind or _kind_of(item), item)


def _is_table(item: Item) -> bool:
    return bool(_row_reader(item))


def _row_reader(item: Item) -> Read | None:
    rows = item.value if isinstance(item.value, list) else []
    first = rows[0] if rows and isinstance(rows[0], dict) else {}
    found = (read for column, read in openstack.ROWS.items() if column in first)
    return next(found, None) if "ID" in first else None


def _kind_of(item: Item) -> FileKind:
    if _is_table(item):
        return FileKind.OPENSTACK
    found = item.mapping()
    if terraform.is_state(item):
        return FileKind.TERRAFORM
    if any(isinstance(found.get(name), list) for name in _AWS):
        return FileKind.AWS
    if "Permissions" in found or any(isinstance(found.get(outer), dict) for outer, _ in alibaba_network.LISTS):
        return FileKind.ALIBABA
    names = [name for name in huawei.LISTS if name in found or name[:-1] in found]
    if not names:
        known = ", ".join(sorted({*_AWS, *(outer for outer, _ in alibaba_network.LISTS), *huawei.LISTS}))
        raise item.bad("it is nothing that can be imported", f"give JSON that has one of {known}, or Terraform's state")
    return _by_members(item, names)


def _by_members(item: Item, names: list[str]) -> FileKind:
    """Whose list of a name that Huawei and OpenStack share; from the members that only one of them has."""
    if {"firewalls", "vpcs", "peerings"} & set(names):
        return FileKind.HUAWEI
    things = [each for name in names for each in _things(item, name)]
    if not any(thing.mapping() for thing in things):
        raise item.bad("it is empty, so it is not to be seen whose it is", _RIGHT)
    rules = [rule for thing in things for rule in thing.items("security_group_rules")]
    members = {name for thing in (*things, *rules) for name in thing.mapping()}
    if members & {*_HUAWEI_ONLY, *_HUAWEI_ONLY_MORE}:
        return FileKind.HUAWEI
    if members & {*_OPENSTACK_ONLY}:
        return FileKind.OPENSTACK
    raise item.bad("it may be of Huawei Cloud or of OpenStack", _RIGHT)


def _things(item: Item, name: str) -> list[Item]:
    """The things of a list; or the one that an answer about one thing tells."""
    return item.items(name) if item.has(name) or not item.has(name[:-1]) else [item.get(name[:-1])]


def cloud_of(answer: Answer) -> set[Cloud]:
    """Whose an answer is; a state may be of several, or of none that is known."""
    if answer.kind is FileKind.TERRAFORM:
        return terraform.clouds_in(terraform.resources(answer.item))
    return {Cloud(answer.kind.value)}


def read_answers(reading: Reading, answers: list[Answer], cloud: Cloud) -> None:
    """Read all answers, what others name first."""
    for answer in sorted(answers, key=_rank):
        match answer.kind:
            case FileKind.TERRAFORM:
                terraform.read_resources(reading, terraform.resources(answer.item), cloud)
            case FileKind.ALIBABA:
                alibaba_network.read_answer(reading, answer.item)
            case FileKind.AWS:
                _read_lists(reading, answer.item, _AWS, _AWS_PASSED)
            case FileKind.HUAWEI:
                _read_lists(reading, answer.item, huawei.LISTS, _LISTS_PASSED)
            case FileKind.OPENSTACK:
                _read_openstack(reading, answer.item)


def _rank(answer: Answer) -> int:
    names = answer.item.value if isinstance(answer.item.value, dict) else {}
    if isinstance(answer.item.value, list):
        first = answer.item.items()[0].mapping() if answer.item.value else {}
        return 0 if "Subnet" in first else 4 if "Description" in first else len(_ORDER)
    return next((rank for rank, name in enumerate(_ORDER) if name in names), len(_ORDER))


def _read_openstack(reading: Reading, item: Item) -> None:
    if not isinstance(item.value, list):
        _read_lists(reading, item, openstack.LISTS, _LISTS_PASSED)
        return
    read = _row_reader(item)
    if item.value and read is None:
        raise item.bad("it is no list of groups, rules, ports or subnets", "print one with -f json")
    for each in item.items():
        if read:
            read(reading, each)


def _read_lists(reading: Reading, item: Item, lists: Mapping[str, Read], passed: frozenset[str]) -> None:
    one = {name[:-1] for name in lists if item.has(name[:-1])}
    reading.decisive(item, {*lists, *one, "NextToken"}, passed)
    for name in sorted(lists, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER)):
        for each in _things(item, name):
            lists[name](reading, each)
    if item.text("NextToken"):
        why = "the answer is one page of several"
        reading.draft.report.note(Outcome.TOLD, item.get("NextToken"), "further things", why, "give the next pages too")
