"""All answers of the files into the draft, what others name first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringfence.importing import alibaba_network, aws, aws_network, huawei, openstack, terraform
from ringfence.importing.cloud import Cloud
from ringfence.importing.kinds import Answer, FileKind, row_reader, things
from ringfence.importing.reading import Read, Reading, fields
from ringfence.importing.report import Outcome
from ringfence.importing.source import Item

_AWS: Final[Mapping[str, Read]] = {**aws.LISTS, **aws_network.LISTS}
_AWS_PASSED: Final = fields("ResponseMetadata $metadata Return")
_LISTS_PASSED: Final = fields("page_info request_id security_groups_links security_group_rules_links ports_links count")
_ORDER: Final = (
    *("Vpcs", "vpcs", "Subnets", "subnets", "VSwitches", "SecurityGroups", "security_groups", "security_group"),
    *("NetworkInterfaceSets", "NetworkInterfaces"),
)
"""Lists that are read before the others, as those name what they tell."""


def cloud_of(answer: Answer) -> set[Cloud]:
    """Whose an answer is; a state may be of several, or of none that is known."""
    if answer.kind is FileKind.TERRAFORM:
        return terraform.clouds_in(terraform.resources(answer.item))
    return {Cloud(answer.kind.value)}


def nothing_in(answer: Answer) -> str:
    """Why a state is of no cloud that is known."""
    types = sorted({each.type for each in terraform.resources(answer.item)})
    return f"it has resources of {', '.join(types[:5])} only, which are not read" if types else "it has no resources"


def read_answers(reading: Reading, answers: list[Answer], cloud: Cloud) -> None:
    """Read all answers, what others name first."""
    for answer in sorted(answers, key=_rank):
        if answer.kind is not FileKind.TERRAFORM:
            reading.watch(answer.item)
        if isinstance(answer.item.value, list):
            _read_rows(reading, answer.item)
            continue
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
                _read_lists(reading, answer.item, openstack.LISTS, _LISTS_PASSED)


def _rank(answer: Answer) -> int:
    names = answer.item.value if isinstance(answer.item.value, dict) else {}
    if isinstance(answer.item.value, list):
        first = answer.item.items()[0].mapping() if answer.item.value else {}
        return 0 if "Subnet" in first else 4 if "Description" in first else len(_ORDER)
    return next((rank for rank, name in enumerate(_ORDER) if name in names), len(_ORDER))


def _read_rows(reading: Reading, item: Item) -> None:
    """A list without an answer around it."""
    read = row_reader(item)
    if item.value and read is None:
        raise item.bad("it is no list of things that are read", "give the whole answer, unshortened")
    for each in item.items():
        if read:
            read(reading, each)


def _read_lists(reading: Reading, item: Item, lists: Mapping[str, Read], passed: frozenset[str]) -> None:
    one = {name[:-1] for name in lists if item.has(name[:-1])}
    if not one and not any(item.has(name) for name in lists):
        raise item.bad("no list is in it that such an answer has", f"give one of {', '.join(lists)}")
    reading.decisive(item, {*lists, *one, "NextToken"}, passed)
    for name in sorted(lists, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER)):
        for each in things(item, name):
            lists[name](reading, each)
    if item.text("NextToken"):
        why, done = "the answer is one page of several", "the next page must be among the files"
        reading.draft.report.note(Outcome.TOLD, item.get("NextToken"), "further things", why, done)
