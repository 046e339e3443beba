"""What each file is: whose answer, or a state of Terraform. A file may hold several answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ringfence.errors import BadImportFile
from ringfence.importing import alibaba_network, aws, aws_network, huawei, openstack, terraform
from ringfence.importing.reading import Read, fields
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
    """One answer of an API, one list of a command line, or one state. ``sure``: whether only one cloud answers so."""

    kind: FileKind
    item: Item
    sure: bool = True


_AWS: Final = {*aws.LISTS, *aws_network.LISTS}
_HUAWEI: Final = fields(
    "multiport action priority enabled enterprise_project_id vpc_id ip_set ip_extra_set extend_cidrs request_vpc_info"
    " gateway_ip_v6 cidr_v6 instance_type zone_id enable_efi ipv6_bandwidth_id"
)
"""Members that only Huawei Cloud's answers have."""
_OPENSTACK: Final = fields(
    "revision_number stateful shared normalized_cidr subnetpool_id standard_attr_id belongs_to_default_sg addresses"
)
"""Members that only OpenStack's have."""
_EITHER: Final = fields("port_range_min ip_version cidr fixed_ips")
"""Members that OpenStack's have, and some of Huawei Cloud's older ones too."""
_AWS_ROWS: Final[Mapping[str, Read]] = {
    "SecurityGroupRuleId": aws.read_rule,
    "InstanceId": aws_network.read_instance,
    "NetworkInterfaceId": aws_network.read_interface,
    "NetworkAclId": aws_network.read_acl,
    "SubnetId": aws_network.read_subnet,
    "GroupId": aws.read_group,
}
"""What reads a thing by itself, by a member that only such things have; the first that is there says it."""
_KINDS: Final = "say what it is with --kind aws, alibaba, huawei, openstack or terraform"
_WHOLE: Final = "give the whole answer of the cloud's own API or tool, as docs/import.md lists them, without --query"


def answers_of(items: Iterable[Item], kind: FileKind | None) -> list[Answer]:
    """The answers of some files; raises `BadImportFile` for one that is none.

    What Huawei Cloud and OpenStack may both have said is of Huawei Cloud where another file is for certain.
    """
    found = [each for item in items for each in _answers(item, kind)]
    if not any(each.sure and each.kind is FileKind.HUAWEI for each in found):
        return found
    return [each if each.sure else Answer(FileKind.HUAWEI, each.item) for each in found]


def _answers(item: Item, kind: FileKind | None) -> Iterator[Answer]:
    if not isinstance(item.value, list) or row_reader(item) or not item.value:
        yield Answer(kind, item) if kind else _answer(item)
        return
    for each in item.items():
        if isinstance(each.value, list):
            raise each.bad("it is a list of lists, as --query makes it", _WHOLE)
        each.mapping()
        yield Answer(kind, each) if kind else _answer(each)


def row_reader(item: Item) -> Read | None:
    """What reads the things of a list that stands by itself: rows of a command line, or things of AWS."""
    rows = item.value if isinstance(item.value, list) else []
    first = rows[0] if rows and isinstance(rows[0], dict) else {}
    if "ID" in first:
        return next((read for column, read in openstack.ROWS.items() if column in first), None)
    return next((read for name, read in _AWS_ROWS.items() if name in first), None)


def _answer(item: Item) -> Answer:
    if isinstance(item.value, list):
        if not item.value:
            raise item.bad("it is an empty list", _KINDS)
        return Answer(FileKind.OPENSTACK if "ID" in item.value[0] else FileKind.AWS, item)
    found = item.mapping()
    if terraform.is_state(item):
        return Answer(FileKind.TERRAFORM, item)
    if any(isinstance(found.get(name), list) for name in _AWS):
        return Answer(FileKind.AWS, item)
    if "Permissions" in found or any(isinstance(found.get(outer), dict) for outer, _ in alibaba_network.LISTS):
        return Answer(FileKind.ALIBABA, item)
    names = [name for name in huawei.LISTS if name in found or name[:-1] in found]
    if not names:
        raise _nothing(item)
    return _by_members(item, names)


def _nothing(item: Item) -> BadImportFile:
    names = ", ".join(sorted(item.mapping())[:5])
    return item.bad(f"it is nothing that can be imported: an object with {names or 'no fields'}", _WHOLE)


def _by_members(item: Item, names: list[str]) -> Answer:
    """Whose list of a name that Huawei and OpenStack share; from the members that only one of them has."""
    if {"firewalls", "vpcs", "peerings"} & set(names):
        return Answer(FileKind.HUAWEI, item)
    listed = [each for name in names for each in things(item, name)]
    if not any(thing.mapping() for thing in listed):
        raise item.bad("it is empty, so it is not to be seen whose it is", _KINDS)
    rules = [rule for thing in listed for rule in thing.items("security_group_rules")]
    members = {name for thing in (*listed, *rules) for name in thing.mapping()}
    if members & _HUAWEI:
        return Answer(FileKind.HUAWEI, item)
    if members & _OPENSTACK:
        return Answer(FileKind.OPENSTACK, item)
    if members & _EITHER:
        return Answer(FileKind.OPENSTACK, item, sure=False)
    raise item.bad("it may be of Huawei Cloud or of OpenStack", _KINDS)


def things(item: Item, name: str) -> list[Item]:
    """The things of a list; or the one that an answer about one thing tells."""
    return item.items(name) if item.has(name) or not item.has(name[:-1]) else [item.get(name[:-1])]
