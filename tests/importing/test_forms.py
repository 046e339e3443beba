"""Whatever form a file has: JSON in one document or several, in usual encodings, or one clear message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringfence.errors import BadImportFile
from ringfence.importing import FileKind, Imported, decoded, import_files
from ringfence.importing.report import Outcome
from tests.cli.shell import ringfence
from tests.importing.reading import imported, notes
from tests.importing.shapes import ALL

ATTRIBUTES = ALL["alibaba"]["attributes.json"]
GROUPS = ALL["aws"]["security-groups.json"]


def read(data: bytes, kind: FileKind | None = None) -> Imported:
    """What an import makes of the bytes of one file."""
    return import_files([decoded("file.json", data)], kind)


def several(*docs: object, indent: int | None = None, between: str = "\n") -> bytes:
    """Documents one after the other."""
    return between.join(json.dumps(doc, indent=indent) for doc in docs).encode()


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("between", ["", "\n", "\n\n\r\n "])
def test_documents_one_after_the_other_are_a_list_of_them(indent: int | None, between: str) -> None:
    """As a loop over groups prints DescribeSecurityGroupAttribute, and JSON lines are."""
    made = read(several(*ATTRIBUTES, indent=indent, between=between))
    assert made.world == imported({"file.json": ATTRIBUTES}).world
    assert [note.line for note in made.report.notes if note.what == "VPC vpc-bp1"] == [1]


def test_pages_one_after_the_other_are_read_and_those_that_go_on_are_told() -> None:
    groups = GROUPS["SecurityGroups"]
    pages = [{"SecurityGroups": groups[:2], "NextToken": "x"}, {"SecurityGroups": groups[2:]}]
    made = read(several(*pages, indent=1))
    assert made.world == imported({"file.json": GROUPS}).world
    told = [note for note in notes(made, Outcome.TOLD) if note.what == "further things"]
    assert [(note.where, note.done) for note in told] == [("[0].NextToken", "the next page must be among the files")]


def test_rows_by_lines_are_a_table() -> None:
    rows = ALL["openstack-cli"]["rules.json"]
    assert read(several(*rows)).report.tallies() == read(several(rows)).report.tallies()


def test_the_second_document_keeps_its_lines() -> None:
    text = json.dumps(ATTRIBUTES[0], indent=1) + "\n" + json.dumps(ATTRIBUTES[1], indent=1)
    with pytest.raises(BadImportFile, match="the file is cut off") as caught:
        read(text[:-40].encode())
    assert caught.value.line == text[:-40].count("\n") + 1
    bad = {**ATTRIBUTES[1], "InnerAccessPolicy": "Perhaps"}
    text = json.dumps(ATTRIBUTES[0], indent=1) + "\n" + json.dumps(bad, indent=1)
    with pytest.raises(BadImportFile, match="'Perhaps' is not known here") as caught:
        read(text.encode())
    assert "Perhaps" in text.splitlines()[caught.value.line - 1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_that_commands_print(encoding: str) -> None:
    groups = [{**GROUPS["SecurityGroups"][0], "GroupName": "größe"}]
    assert "größe" in read(json.dumps({"SecurityGroups": groups}, ensure_ascii=False).encode(encoding)).world.groups


OTHERS: list[tuple[str, bytes, int, str]] = [
    ("table", b"+----+------+\n| ID | Name |\n+----+------+\n", 1, "it is a table; print JSON"),
    ("aws table", b"-----------\n| Describe |\n", 1, "it is"),
    ("yaml", b"---\nSecurityGroups:\n- GroupId: sg-1\n", 1, "it is YAML; print JSON: aws ... --output json"),
    ("yaml list", b"- ID: 1\n  Name: x\n", 1, "it is YAML"),
    ("yaml, no mark", b"SecurityGroups:\n- GroupId: sg-1\n", 1, "it is YAML"),
    ("csv", b'"ID","Name"\n"1","x"\n', 1, "it is CSV; print JSON"),
    ("text", b"SECURITYGROUPS\tdefault\tsg-1\n", 1, "it is text in columns"),
    ("xml", b"\n<DescribeSecurityGroupsResponse>\n", 2, "it is XML or HTML"),
    ("hcl", b'resource "aws_security_group" "web" {\n}\n', 1, "Terraform's configuration, and no state"),
    ("show", b"# aws_security_group.web:\nresource ...", 1, "terraform show prints without -json"),
    ("prose", b"hello", 1, "it is no JSON"),
    ("nothing", b" \n", 1, "the file is empty"),
    ("binary", b"PK\x03\x04\n\xff", 2, "it is no text"),
    ("comma", b'{"a": 1,\n "b": 2,\n}', 3, "this is no JSON"),
    ("rest", b'{"a": 1}\nand more', 2, "this is no JSON"),
    ("twice", b'{"x":\n {"a": 1,\n "a": 2}}', 2, "an object names 'a' twice"),
    ("twice in the second", b'{"x": 1}\n{"a": 1, "a": 2}', 2, "an object names 'a' twice"),
    ("no number", b'{"a":\n NaN}', 2, "NaN is no value of JSON"),
    ("digits", b'{"a": ' + b"1" * 5000 + b"}", 1, "too many digits"),
    ("half", b'{"a":\n nul', 2, "the file is cut off"),
    ("half an escape", b'{"a":\n "\\u00', 2, "the file is cut off"),
    ("surrogate", b'{"SecurityGroups":\n [{"GroupId": "\\ud800"}]}', 2, "half of a surrogate pair"),
]


@pytest.mark.parametrize(("data", "line", "what"), [each[1:] for each in OTHERS], ids=[each[0] for each in OTHERS])
def test_what_is_no_json_is_told_what_it_is(data: bytes, line: int, what: str) -> None:
    with pytest.raises(BadImportFile) as caught:
        read(data)
    assert what in str(caught.value)
    assert caught.value.line == line


def test_a_file_that_ends_anywhere_is_cut_off() -> None:
    data = json.dumps(GROUPS, indent=1).encode()
    for end in range(1, len(data) - 1, 97):
        with pytest.raises(BadImportFile, match="the file is cut off") as caught:
            read(data[:end])
        assert caught.value.line == data[:end].rstrip().count(b"\n") + 1


@pytest.mark.parametrize("data", [data for _, data, _, _ in OTHERS[:8]], ids=[each[0] for each in OTHERS[:8]])
def test_the_command_says_it_in_one_message_and_writes_nothing(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(GROUPS), encoding="utf-8")
    (tmp_path / "bad.json").write_bytes(data)
    files = [str(tmp_path / name) for name in ("good.json", "bad.json")]
    done = ringfence("import", *files, "-o", str(tmp_path / "w.yaml"))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"ringfence: {tmp_path}/bad.json, line ")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "w.yaml").exists()
