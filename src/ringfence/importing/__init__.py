"""Import of what users have: configurations of clouds and tools as a world, and a report of all that is not in it.

Pure: texts in, a valid `ringfence.model.world.World` and a `ringfence.importing.report.Report` out. Where a world has
no word for something, it is told with its place; nothing is dropped in silence. docs/import.md is its text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.errors import BadImportFile
from ringfence.importing.answers import cloud_of, nothing_in, read_answers
from ringfence.importing.building import build
from ringfence.importing.cloud import MEANINGS, NO_MACHINES, Cloud
from ringfence.importing.kinds import Answer, FileKind, answers_of
from ringfence.importing.naming import with_names
from ringfence.importing.parsing import decoded, read_source
from ringfence.importing.reading import Reading
from ringfence.importing.report import Kind, Report
from ringfence.importing.settling import settled
from ringfence.importing.source import Source
from ringfence.model.switches import switches_of
from ringfence.model.world import World

__all__ = ["Cloud", "FileKind", "Imported", "Report", "Source", "decoded", "import_files"]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has made."""

    cloud: Cloud
    world: World
    report: Report


def import_files(
    sources: Sequence[Source], kind: FileKind | None = None, cloud: Cloud | None = None, *, lenient: bool = False
) -> Imported:
    """The world that some files describe together. Raises `BadImportFile`; then nothing is imported.

    ``kind`` says what the files are, where they do not say it themselves. ``cloud``: the one whose resources are meant,
    where a state has those of several. ``lenient``: fields that are not known are told, instead of refused.
    """
    answers = answers_of(map(read_source, sources), kind)
    chosen = _chosen(answers, cloud)
    reading = Reading(lenient=lenient)
    read_answers(reading, answers, chosen)
    reading.finish()
    draft, meaning = reading.draft, MEANINGS[chosen]
    built = build(draft, meaning.profile)
    world = with_names(settled(built, draft.report), draft, built.ports)
    for text in meaning.gaps:
        draft.report.assume(text)
    if not world.instances:
        draft.report.assume(NO_MACHINES)
    if not all(each.sure for each in answers):
        draft.report.assume("Huawei Cloud's older answers look the same; if they are that, say --kind huawei")
    if not draft.acls:
        draft.report.assume("no file tells the lines of network ACLs, so the world has none")
    said = ", ".join(f"{name}: {json.dumps(value)}" for name, value in switches_of(world.profile).items())
    draft.report.assume(f"switches set: {said}" if said else "no switches set")
    draft.report.in_world = _counts(world)
    return Imported(chosen, world, draft.report)


def _chosen(answers: Sequence[Answer], wanted: Cloud | None) -> Cloud:
    """The one cloud that the files are of, or that is wanted of them."""
    found = {cloud: answer for answer in answers for cloud in sorted(cloud_of(answer))}
    if wanted and (wanted in found or not found):
        strange = [it for it in answers if it.kind is not FileKind.TERRAFORM and cloud_of(it) != {wanted}]
        if strange:
            raise strange[0].item.bad(f"it is of {strange[0].kind}", f"give files of {wanted} only")
        return wanted
    if not answers:
        raise BadImportFile("", 1, "", "no file was given", "give files of one of the four clouds")
    if not found:
        raise answers[0].item.bad(
            nothing_in(answers[0]), "give a state that has security groups of one of the four clouds"
        )
    if wanted:
        item = next(iter(found.values())).item
        raise item.bad(f"it is of {' and '.join(found)}", f"give files of {wanted}, or say another --cloud")
    if len(found) > 1:
        item = next(reversed(found.values())).item
        names = " and ".join(found)
        raise item.bad(f"the files are of {names}", "import one cloud at a time; of one state, say which with --cloud")
    return next(iter(found))


def _counts(world: World) -> dict[Kind, int]:
    return {
        Kind.VPCS: len(world.vpcs),
        Kind.SUBNETS: sum(len(vpc.subnets) for vpc in world.vpcs.values()),
        Kind.GROUPS: len(world.groups),
        Kind.RULES: sum(len(group.rules) for group in world.groups.values()),
        Kind.ADDRESS_GROUPS: len(world.address_groups),
        Kind.ACLS: len(world.acls),
        Kind.LINES: sum(len(acl.rules) for acl in world.acls.values()),
        Kind.INTERFACES: len(world.ports),
        Kind.PEERINGS: len(world.peerings),
    }
