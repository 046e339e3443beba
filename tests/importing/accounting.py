"""What a report owes: every leaf of the files is in the world, in the report, or known to say nothing here.

Nothing here knows what a field means: a leaf is changed, and the world or the report must change with it.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ringfence.errors import BadImportFile
from ringfence.importing import FileKind, Imported, import_files
from ringfence.importing.report import Kind, Note, Outcome
from ringfence.importing.source import Source
from tests.importing.shapes import Doc, Files

Path = tuple[str | int, ...]

KNOWN = {
    "NicType|nic_type": "a VPC has no two kinds of interface",
    "FromPort|ToPort|from_port|to_port|port_range_min|port_range_max": "a rule about all protocols is about all ports,"
    " and port 0 is nobody's: judged by tests/importing/test_oracles.py",
    "Primary|DeviceIndex|Type|Status": "the order of interfaces, and whether one is free",
    "Name|Code|State": "of a state that means: running, associated",
    "NetworkAclAssociationId": "names the edge between an ACL and a subnet, both of which are read",
    "device_owner|Device Owner": "whose the port is, where no machine has it",
    "VpcId|SubnetId|VSwitchId|network_id|subnet_id": "of a thing whose subnet tells its VPC, or that is told before",
    "mode": "data sources and resources are told apart by it; any other word is a resource's",
}
"""Fields whose small changes may mean nothing, and why."""
ENVELOPE = re.compile(
    r"(\[\d+\]\.?)?(format_version|terraform_version|version|serial|lineage|check_results|outputs|RequestId|request_id"
    r"|PageNumber|PageSize|NextToken|page_info|resources\[\d+\]\.(name|provider|instances\[\d+\]\.(schema_version|private))"
    r"|values\..*\.(address|name|provider_name|schema_version))"
)
"""What says how the file was made, or names a resource by where it stands: nothing of the network."""
SWAPPED = {
    "ingress": "egress",
    "egress": "ingress",
    "tcp": "udp",
    "udp": "tcp",
    "TCP": "UDP",
    "allow": "deny",
    "Accept": "Drop",
    "Drop": "Accept",
    "IPv4": "IPv6",
    "IPv6": "IPv4",
}


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value inside that is neither an object nor a list."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, dict | list):
            yield from leaves(each, (*path, key))
        else:
            yield (*path, key), each


def written(path: Path) -> str:
    """A path as the report writes it."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def another(value: Any) -> Any:
    """A value of the same form that says something else; none for one that says nothing."""
    if isinstance(value, bool):
        return not value
    if value is None or value == "":
        return None
    if isinstance(value, int | float):
        return value + 1
    forms = {
        r"-?\d+": str(int(value) + 1) if re.fullmatch(r"-?\d+", value) else "",
        r"(\d+\.){3}\d+/\d+": "203.0.113.0/25",
        r"(\d+\.){3}\d+": "203.0.113.77",
        r"[0-9a-f:]+/\d+": "2001:db8:77::/64",
        r"-?\d+/-?\d+": "77/78",
        r"\d+:\d+": "77:78",
    }
    return next((other for form, other in forms.items() if re.fullmatch(form, value)), SWAPPED.get(value, f"{value}x"))


def outcome(made: Imported) -> tuple[Any, ...]:
    """All that an import says, but for places in the files."""
    report = made.report
    return (
        made.world,
        [(note.outcome, note.what, note.why, note.done) for note in report.notes],
        [report.names, report.assumptions, report.tallies(), report.unread],
    )


def _imported(files: Files, kind: FileKind | None) -> Imported:
    return import_files([Source(name, json.dumps(doc)) for name, doc in files.items()], kind)


def _is_told(made: Imported, file: str, path: Path, types: dict[Path, str]) -> bool:
    """Whether the report says that it, or what it is a part of, was not read, is left out, or was said before."""
    ways = range(1, len(path) + 1)
    if any((file, shape(path[:end], types)) in made.report.unread for end in ways):
        return True
    places, inside = {written(path[:end]) for end in ways}, written(path[:-1])
    notes = [note for note in made.report.notes if note.source == file and _ends(note)]
    return any(note.where in places or note.where.startswith((f"{inside}.", f"{inside}[")) for note in notes)


def _ends(note: Note) -> bool:
    return note.outcome in (Outcome.LEFT_OUT, Outcome.MERGED) or "it is not read" in note.done


def types_of(doc: Any) -> dict[Path, str]:
    """The types of Terraform's resources, by the paths of their attributes."""
    found: dict[Path, str] = {}
    for path, value in leaves(doc):
        if path[-1] == "type" and isinstance(value, str):
            found |= {(*path[:-1], "values"): value}
            found |= {(*path[:-1], "instances", index, "attributes"): value for index in range(10)}
    return found


def shape(path: Path, types: dict[Path, str]) -> str:
    """A path without indexes, in which the report counts fields that were not read."""
    for end in range(len(path), 0, -1):
        if path[:end] in types:
            return types[path[:end]] + shape_of(path[end:])
    return shape_of(path).removeprefix(".")


def shape_of(path: Path) -> str:
    """The steps of a path without their numbers."""
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in path)


def lost(files: Files, kind: FileKind | None = None, most: int = 2) -> list[str]:
    """The leaves that can change without a trace; of each shape only some are tried."""
    made = _imported(files, kind)
    usual = outcome(made)
    found, tried = [], dict[tuple[str, str], int]()
    for file, doc in files.items():
        types = types_of(doc)
        for path, value in [*leaves(doc)]:
            key, other = (file, shape(path, types)), another(value)
            tried[key] = tried.get(key, 0) + (other is not None)
            if other is None or tried[key] > most or is_known(path) or _is_told(made, file, path, types):
                continue
            if _changes_nothing(files, kind, usual, file, path, other):
                found.append(f"{file} {written(path)}: {value!r}")
    return found


def is_known(path: Path) -> bool:
    """Whether small changes of it mean nothing, for a reason that is given above."""
    last = next(step for step in reversed(path) if isinstance(step, str))
    return bool(ENVELOPE.match(written(path))) or any(last in names.split("|") for names in KNOWN)


def _changes_nothing(
    files: Files, kind: FileKind | None, usual: tuple[Any, ...], file: str, path: Path, other: Any
) -> bool:
    changed = {**files, file: copy.deepcopy(files[file])}
    holder: Any = changed[file]
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = other
    try:
        return outcome(_imported(changed, kind)) == usual
    except BadImportFile:
        return False


REMOTES = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
BLOCKS = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")
OWNERS = ("GroupId", "SecurityGroupId", "security_group_id", "Security Group")


def rules_by_group(value: Any, group: str = "") -> Iterator[str]:
    """The group of each rule in a configuration, counted without knowing what the rules mean."""
    if isinstance(value, list):
        for each in value:
            yield from rules_by_group(each, group)
    if not isinstance(value, dict):
        return
    own = next((value[name] for name in OWNERS if value.get(name)), group or value.get("id", ""))
    if "IpPermissions" in value:
        own = value["GroupId"]
    if "ingress" in value and "egress" in value:
        own = value["id"]
    said = _said(value)
    if said is not None:
        yield from [own] * said
        return
    for each in value.values():
        yield from rules_by_group(each, own if "values" not in value and "attributes" not in value else "")


def _said(value: Doc) -> int | None:
    """How many rules an object is; none if it is no rule."""
    if "IpProtocol" in value and "IpRanges" in value:
        return sum(len(value[name]) for name in REMOTES)
    if "protocol" in value and "from_port" in value and "cidr_blocks" in value:
        one = bool(value.get("self")) + bool(value.get("source_security_group_id"))
        return sum(len(value.get(name) or ()) for name in BLOCKS) + one
    marks = ({"Direction", "PortRange"}, {"direction", "ethertype"}, {"IP Protocol"}, {"ip_protocol"})
    return 1 if any(mark <= value.keys() for mark in marks) or {"IsEgress", "IpProtocol"} <= value.keys() else None


def accounted(made: Imported) -> Counter[str]:
    """The rules of each group that are in the world or told to be gone, less those that were made up."""
    ids = {name: id_ for kind, id_, name in made.report.names if kind is Kind.GROUPS}
    found = Counter({ids.get(name, name): len(group.rules) for name, group in made.world.groups.items()})
    for note in made.report.notes:
        word, _, group = note.what.partition(" of ")
        if word == "rule" and note.outcome in (Outcome.LEFT_OUT, Outcome.MERGED):
            found[group] += 1
        elif word == "rule" and note.outcome is Outcome.MADE_UP:
            found[group] -= 1
    return +found
