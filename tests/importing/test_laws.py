"""Whatever the files say: a valid world and a report that accounts for everything, or one message with its place."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.errors import BadImportFile
from ringfence.importing import FileKind, Imported, import_files
from ringfence.importing.report import Kind
from ringfence.importing.source import Source
from ringfence.model.validation import problems
from ringfence.worldfile import dump, parse
from tests.importing.reading import imported
from tests.importing.shapes import ALL, Files

FEW = {name: copy.deepcopy(files) for name, files in ALL.items()}
"""The configurations without most of their many rules, so that a mutation meets the others."""


def _shorten(value: Any) -> None:
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _shorten(each)
    if isinstance(value, list) and len(value) > 30:
        del value[20:-3]


for _files in FEW.values():
    _shorten(_files)


def check(made: Imported) -> None:
    """The world is valid and survives a file; everything that was read is in it or told to be elsewhere."""
    assert not problems(made.world)
    assert parse(dump(made.world), "dumped") == made.world
    for kind, tally in made.report.tallies().items():
        assert tally.read + tally.made_up == tally.in_world + tally.merged + tally.left_out, kind


def said_rules(value: Any) -> int:
    """How many rules a configuration has, counted without knowing what they mean."""
    if isinstance(value, list):
        return sum(map(said_rules, value))
    if not isinstance(value, dict):
        return 0
    if "IpProtocol" in value and "IpRanges" in value:
        return sum(len(value[name]) for name in ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"))
    if "cidr_blocks" in value:
        names = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")
        return sum(len(value.get(name) or ()) for name in names) + bool(value.get("self"))
    marks = ({"Direction", "PortRange"}, {"direction", "ethertype"}, {"IP Protocol"}, {"ip_protocol"})
    return 1 if any(mark <= value.keys() for mark in marks) else sum(map(said_rules, value.values()))


@pytest.mark.parametrize("name", ALL)
def test_every_rule_is_in_the_world_or_told(name: str) -> None:
    made = imported(ALL[name])
    check(made)
    tally = made.report.tallies()[Kind.RULES]
    assert tally.read == said_rules([*ALL[name].values()])
    told = sum(note.what.startswith("rule of") for note in made.report.notes if note.outcome in ("merged", "left out"))
    assert told == tally.merged + tally.left_out


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document, as what holds it and its key there."""
    for key, each in [*(value.items() if isinstance(value, dict) else enumerate(value))]:
        yield value, key
        if isinstance(each, dict | list):
            yield from places(each)


WORDS = [
    "",
    "x",
    "tcp",
    "-1",
    "0.0.0.0/0",
    "::/0",
    "10.0.1.0/24",
    "10.0.1.11",
    "sg-0web",
    "22/22",
    "any",
    "\n",
    "a/b",
    "é.1-",
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 6, 58, 110, 65_535, 65_536, 10**12]),
    st.sampled_from(WORDS),
    st.sampled_from([[], {}, [{}], ["x"], {"x": 1}, [[]]]),
)


def imported_or_refused(files: Files, kind: FileKind | None, *, lenient: bool) -> Imported | BadImportFile:
    try:
        return imported(files, kind, lenient=lenient)
    except BadImportFile as error:
        return error


QUIET = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@QUIET
@given(st.sampled_from(sorted(FEW)), st.data())
def test_a_mutated_configuration_never_crashes(name: str, data: st.DataObject) -> None:
    files: Files = copy.deepcopy(FEW[name])
    for _ in range(data.draw(st.integers(1, 4))):
        holder, key = data.draw(st.sampled_from([*places(files)]))
        change = data.draw(st.sampled_from(["replace", "remove", "repeat", "rename"]))
        if holder is files and change != "replace":
            continue
        if change == "replace":
            holder[key] = copy.deepcopy(data.draw(VALUES))  # those that are drawn are shared
        elif change == "repeat" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif change == "rename" and isinstance(holder, dict):
            holder[f"{key}X"] = holder.pop(key)
        else:
            del holder[key]
    kind = data.draw(st.sampled_from([None, None, None, *FileKind]))
    made = imported_or_refused(files, kind, lenient=data.draw(st.booleans()))
    if isinstance(made, Imported):
        check(made)
    else:
        assert made.source in files
        assert made.line >= 1


@QUIET
@given(st.sampled_from(sorted(FEW)), st.data())
def test_a_file_that_is_cut_off_gives_its_line_and_imports_nothing(name: str, data: st.DataObject) -> None:
    texts = {file: json.dumps(doc, indent=1) for file, doc in FEW[name].items()}
    cut = data.draw(st.sampled_from(sorted(texts)))
    texts[cut] = texts[cut][: data.draw(st.integers(0, len(texts[cut]) - 1))]
    with pytest.raises(BadImportFile) as caught:
        import_files([Source(file, text) for file, text in texts.items()])
    assert caught.value.source == cut
    assert 1 <= caught.value.line <= texts[cut].count("\n") + 1


@given(st.text(max_size=60))
def test_any_text_gives_a_message(text: str) -> None:
    with pytest.raises(BadImportFile):
        import_files([Source("x", text)])


@given(st.sampled_from(sorted(FEW)), st.data())
@settings(deadline=None, max_examples=60)
def test_the_line_of_a_place_is_where_it_stands(name: str, data: st.DataObject) -> None:
    doc = data.draw(st.sampled_from([*FEW[name].values()]))
    source = Source("x", json.dumps(doc, indent=1))
    path: list[str | int] = []
    value = doc
    while isinstance(value, dict | list) and value and (not path or data.draw(st.booleans())):
        key = data.draw(st.sampled_from([*value] if isinstance(value, dict) else [*range(len(value))]))
        path.append(key)
        value = value[key]
    line = source.text.splitlines()[source.line(tuple(path)) - 1].strip().rstrip(",")
    begins = json.dumps(value, indent=1).splitlines()[0]
    assert line.endswith(begins)
