"""Files of rules: what goes out comes back the same, and what cannot come in is named row by row."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from ringfence.errors import InvalidInput
from ringfence.exchange import comma
from ringfence.exchange.files import export, preview
from ringfence.exchange.table import COLUMNS
from ringfence.exchange.values import BadRulesFile, ExportedRule, Format, Limits, Names, Preview, by_family
from ringfence.model.port_list import NamedPorts
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.rule import AddressGroupRemote, GroupRemote, Rule
from ringfence.model.service import ALL_PORTS, PortRange, PortSet
from tests.value_strategies import rules

ANYTHING = replace(ALIBABA, port_ranges_per_rule=20, self_reference=True)
WEB, DB, OFFICE, THEIRS = (
    GroupRemote("sg-1"),
    GroupRemote("sg-2"),
    AddressGroupRemote("ip-1"),
    GroupRemote("sg-9", "bob"),
)
ONE, TWO, THREE = (NamedPorts(f"prl-{number}") for number in (1, 2, 3))
KNOWN: Names = {
    WEB: "web",
    DB: "db tier",
    OFFICE: "office",
    THEIRS: "shared",
    ONE: "web ports",
    TWO: "same",
    THREE: "same",
}


def exported(lines: Iterable[Rule]) -> list[ExportedRule]:
    return [ExportedRule(f"sgr-{number}", rule, "2026-01-02T03:04:05Z") for number, rule in enumerate(lines)]


def read(
    of: Format, data: bytes, existing: Iterable[Rule] = (), profile: Profile = ANYTHING, names: Names = KNOWN
) -> Preview:
    return preview(of, data, "sg-new", existing, profile, names, refuse_opposites=False)


def canonical(rule: Rule) -> Rule:
    """Without what a file does not keep: who manages it; and 1-65535 is every port there."""
    full = PortSet((PortRange(1, 65535),))
    ports = ALL_PORTS if rule.ports == full else rule.ports
    source_ports = ALL_PORTS if rule.source_ports == full else rule.source_ports
    return replace(rule, managed="", ports=ports, source_ports=source_ports)


def called(lines: Iterable[Rule], names: list[str]) -> Names:
    said = [each for rule in lines for each in (rule.remote, rule.ports)]
    things = dict.fromkeys(it for it in said if isinstance(it, GroupRemote | AddressGroupRemote | NamedPorts))
    return {thing: names[number % len(names)] for number, thing in enumerate(things)}


NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(str.strip)
    | st.sampled_from(["web", "=1+1", "@x", "-a", "group web", "a/b", "10.0.0.0/8", "x[y]", "any", "_x0041_"]),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("form", Format)
@settings(max_examples=25, deadline=None)
@given(drawn=st.lists(rules(), max_size=12), names=NAMES)
def test_what_goes_out_comes_back_the_same(form: Format, drawn: list[Rule], names: list[str]) -> None:
    plain = {each.key: each for rule in drawn for each in by_family(canonical(rule))}
    known = called(drawn, names)
    found = read(form, export(form, "sg-old", exported(map(canonical, plain.values())), known), names=known)
    assert [row.problems for row in found.rows] == [()] * len(plain)
    assert list(found.rules) == list(plain.values())
    again = read(form, export(form, "sg-old", exported(drawn), known), found.rules, names=known)
    assert not again.rules  # each is there already


def sheet(*rows: Mapping[str, object]) -> bytes:
    """A workbook by hand, as a spreadsheet would write it."""
    book = Workbook()
    page = book.worksheets[0]
    page.append(COLUMNS)
    for row in rows:
        page.append([row.get(column) for column in COLUMNS])
    return saved(book)


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


GOOD = dict(zip(COLUMNS, ("Inbound", 1, "Allow", "TCP", 80, "IPv4", "10.0.0.0/8", "", "", ""), strict=True))
"""The cells of: in allow tcp 80 from 10.0.0.0/8 priority 1."""

MISTAKES: list[tuple[dict[str, object], str, str]] = [
    ({"Direction": "Sideways"}, "Direction", "exchange.word"),
    ({"Direction": None}, "Direction", "exchange.word"),
    ({"Action": "maybe"}, "Action", "exchange.word"),
    ({"Priority": 0}, "Priority", "input.notation"),
    ({"Priority": 101}, "Priority", "input.notation"),
    ({"Priority": 1.5}, "Priority", "input.notation"),
    ({"Protocol": "tcpp"}, "Protocol", "input.notation"),
    ({"Protocol": 256}, "Protocol", "input.notation"),
    ({"Port": "200-1"}, "Port", "input.notation"),
    ({"Port": "0"}, "Port", "input.notation"),
    ({"Port": None}, "Port", "input.notation"),
    ({"Port": "9" * 5000}, "Port", "exchange.long"),
    ({"Port": "80,80"}, "Port", "input.notation"),
    ({"Protocol": "ICMP"}, "Port", "input.notation"),
    ({"Protocol": "ICMP", "Port": "web ports[prl-1]"}, "Port", "input.notation"),
    ({"Port": "web ports[prl-2]"}, "Port", "InvalidPortRangeListId.NotFound"),
    ({"Port": "prl-9"}, "Port", "InvalidPortRangeListId.NotFound"),
    ({"Port": "80,prl-1"}, "Port", "input.notation"),
    ({"Port": "same"}, "Port", "exchange.ambiguous"),
    ({"Type": "IPv6"}, "Type", "exchange.family"),
    ({"Type": "IPX"}, "Type", "exchange.family"),
    ({"Source": None}, "Source", "MissingParameter.Source"),
    ({"Source": "10.0.0.1/8"}, "Source", "input.notation"),
    ({"Source": "web[sg-2]"}, "Source", "exchange.name"),
    ({"Source": "cache[sg-3]"}, "Source", "InvalidSourceGroupId.NotFound"),
    ({"Source": "address group home[ip-7]"}, "Source", "InvalidPrefixListId.NotFound"),
    ({"Source": "web[sg-1]", "Type": "IPv4"}, "Type", "exchange.family"),
    ({"Destination": "web[sg-1]"}, "Destination", "input.notation"),
    ({"Destination": "fd00::/64", "Type": None}, "Destination", "input.notation"),
    ({"Description": "x" * 513}, "Description", "input.notation"),
    ({"Description": "two\nlines"}, "Description", "input.notation"),
]


def test_every_row_that_fails_is_named_with_its_cell() -> None:
    """One file with all mistakes and good rows between them: the preview names each, by place, column and code."""
    good = [{**GOOD, "Port": 1000 + number} for number in range(len(MISTAKES))]
    rows = [row for number, (wrong, _, _) in enumerate(MISTAKES) for row in ({**GOOD, **wrong}, good[number])]
    found = read(Format.XLSX, sheet(*rows))
    assert [row.place for row in found.rows] == list(range(2, 2 + len(rows)))
    assert [[(it.field, it.code) for it in row.problems] for row in found.failing] == [
        [(column, code)] for _, column, code in MISTAKES
    ]
    assert all(problem.what and problem.right for row in found.failing for problem in row.problems)
    assert len(found.rules) == len(good)
    assert not found.ok


BESIDE: list[tuple[dict[str, object], str]] = [
    ({}, "exchange.duplicate"),
    ({"Description": "another"}, "exchange.duplicate"),
    ({"Action": "Deny"}, "exchange.opposite"),
    ({"Action": "Deny", "Priority": 7}, "exchange.opposite"),
    ({"Port": "443"}, "exchange.duplicate"),
    ({"Port": "443", "Action": "Deny"}, "exchange.opposite"),
    ({"Port": "444", "Source": "0.0.0.0/0"}, "exchange.duplicate"),
    ({"Priority": 9}, "exchange.opposite"),
    ({"Priority": 9, "Port": 81}, ""),
    ({"Port": "web ports[prl-1]"}, ""),
    ({"Port": "web ports"}, "exchange.duplicate"),
    ({"Port": "prl-1", "Action": "Deny"}, "exchange.opposite"),
    ({"Port": "prl-2"}, ""),
    ({"Port": "same[prl-2]"}, "exchange.duplicate"),
    ({"Source": "web[sg-1]", "Type": None}, ""),
    ({"Source": "sg-1", "Type": "IPv4, IPv6"}, "exchange.duplicate"),
    ({"Source": "group sg-1", "Type": ""}, "exchange.duplicate"),
    ({"Source": "bob/shared[sg-9]", "Type": ""}, ""),
]


def test_rows_are_judged_beside_each_other_and_beside_the_rules_of_the_group() -> None:
    existing = [
        Rule.parse("in allow tcp 443 from 10.0.0.0/8"),
        Rule.parse("in allow tcp 444 from any"),
    ]
    rows = [{**GOOD, **change} for change, _ in BESIDE]
    strict = preview(Format.XLSX, sheet(GOOD, *rows), "sg-new", existing, ANYTHING, KNOWN)
    assert [[it.code for it in row.problems] for row in strict.rows[1:]] == [
        [code] if code else [] for _, code in BESIDE
    ]
    loose = read(Format.XLSX, sheet(GOOD, *rows), existing)
    codes = {problem.code for row in loose.failing for problem in row.problems}
    assert codes == {"exchange.duplicate"}


def test_a_profile_is_asked_too() -> None:
    row = {**GOOD, "Destination": "10.0.1.1/32"}
    found = preview(Format.XLSX, sheet(row), "sg-new", (), HUAWEI, KNOWN)
    assert [it.code for it in found.rows[0].problems] == ["world.five_tuple"]
    own = {**GOOD, "Source": "web[sg-1]", "Type": ""}
    found = preview(Format.XLSX, sheet(own), "sg-1", (), ALIBABA, KNOWN)
    assert [it.code for it in found.rows[0].problems] == ["InvalidParamter.Conflict"]
    many = {**GOOD, "Port": ",".join(map(str, range(1, 43, 2)))}
    found = preview(Format.XLSX, sheet(many), "sg-1", (), HUAWEI, KNOWN)
    assert [it.code for it in found.rows[0].problems] == ["limit.port_ranges"]


PERMISSION = {
    "Direction": "ingress",
    "IpProtocol": "TCP",
    "PortRange": "80/80",
    "Policy": "Accept",
    "Priority": "1",
    "SourceCidrIp": "10.0.0.0/8",
    "DestGroupId": "",
    "NicType": "",
    "CreateTime": "2026-01-01T00:00:00Z",
}
"""As DescribeSecurityGroupAttribute has it."""
PERMISSIONS: list[tuple[dict[str, object], str]] = [
    ({}, "in allow tcp 80 from 10.0.0.0/8 priority 1"),
    ({"PortRange": "1/65535", "IpProtocol": "udp"}, "in allow udp from 10.0.0.0/8 priority 1"),
    ({"PortRange": "-1/-1", "IpProtocol": "ALL", "Policy": "Drop"}, "in deny all from 10.0.0.0/8 priority 1"),
    ({"PortRange": "-1/-1"}, "PortRange"),
    ({"PortRange": "200/1"}, "PortRange"),
    ({"Priority": 110}, "Priority"),
    ({"SourceCidrIp": "", "SourceGroupId": "sg-1"}, "in allow tcp 80 from group sg-1 priority 1"),
    ({"SourceCidrIp": None, "SourceGroupId": "sg-1", "SourceGroupName": "db"}, "SourceGroupId"),
    ({"SourceCidrIp": "", "SourceGroupId": "ip-1"}, "SourceGroupId"),
    ({"SourceCidrIp": "", "SourcePrefixListId": "ip-1"}, "in allow tcp 80 from ip-1 priority 1"),
    ({"SourceGroupId": "sg-1"}, "SourceGroupId"),
    ({"SourceCidrIp": ""}, "SourceCidrIp"),
    ({"SourceCidrIp": "", "Ipv6SourceCidrIp": "fd00::/64"}, "in allow tcp 80 from fd00::/64 priority 1"),
    ({"DestCidrIp": "10.1.0.0/16"}, "in allow tcp 80 from 10.0.0.0/8 to 10.1.0.0/16 priority 1"),
    ({"SourcePortRange": "53/53"}, "in allow tcp 80 from 10.0.0.0/8 port 53 priority 1"),
    ({"PortRangeListId": "prl-1"}, "PortRangeListId"),
    ({"PortRange": "", "PortRangeListId": "prl-1"}, "in allow tcp prl-1 from 10.0.0.0/8 priority 1"),
    (
        {"PortRange": None, "PortRangeListId": "prl-3", "PortRangeListName": "same"},
        "in allow tcp prl-3 from 10.0.0.0/8 priority 1",
    ),
    ({"PortRange": "", "PortRangeListId": "prl-1", "PortRangeListName": "other"}, "PortRangeListId"),
    ({"PortRange": "", "PortRangeListId": "web-ports", "IpProtocol": "ICMP"}, "PortRangeListId"),
    ({"PortRange": ""}, "PortRange"),
]


def test_json_is_read_as_the_api_writes_it() -> None:
    listed = [{**PERMISSION, **change} for change, _ in PERMISSIONS]
    answer = {"RegionId": "r", "SecurityGroupId": "sg-1", "Permissions": {"Permission": listed}}
    for content in (answer, listed):
        found = read(Format.JSON, json.dumps(content).encode())
        said = [row.problems[0].field if row.problems else str(row.rule) for row in found.rows]
        assert said == [expected for _, expected in PERMISSIONS]
        assert all(len(row.problems) < 2 for row in found.rows)


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "'=1", "\t=1", '=HYPERLINK("x")'])
def test_no_cell_begins_a_formula(name: str) -> None:
    rule = replace(Rule.parse("in allow tcp prl-1 from group sg-1"), description=name)
    names: Names = {WEB: name, ONE: name}
    text = export(Format.CSV, "sg", exported([rule]), names)
    _, (_, row) = comma.read(text)
    raw = text.decode("utf-8-sig").splitlines()[1].replace('""', '"')
    assert name in row
    assert f"'{name}" in raw
    book = load_workbook(io.BytesIO(export(Format.XLSX, "sg", exported([rule]), names)))
    assert {cell.data_type for line in book.worksheets[0].iter_rows() for cell in line if cell.value} == {"s"}
    for form in Format:
        assert read(form, export(form, "sg", exported([rule]), names), names=names).rules == (rule,)


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as found:
        for name, content in parts.items():
            found.writestr(name, content)
    return out.getvalue()


def with_part(data: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """A workbook, one of its parts edited."""
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        parts = {each: found.read(each) for each in found.namelist()}
    assert old in parts[name]
    return archive(**{**parts, name: parts[name].replace(old, new)})


def formula() -> bytes:
    return sheet({**GOOD, "Description": "=1+1"})


SHEET = "xl/worksheets/sheet1.xml"
ENTITY = b"<!DOCTYPE a [<!ENTITY b 'c'>]><worksheet"
HEAD = ",".join(COLUMNS)
FILES: list[tuple[Format, bytes, str]] = [
    (Format.XLSX, b"", "no XLSX"),
    (Format.XLSX, b"PK\x03\x04 not really", "no XLSX"),
    (Format.XLSX, archive(a=b"x"), "no XLSX"),
    (Format.XLSX, archive(a=bytes(20 << 20)), "unpacks to"),
    (Format.XLSX, archive(**{f"p{number}": b"" for number in range(300)}), "300 parts"),
    (
        Format.XLSX,
        with_part(sheet(GOOD), SHEET, b"<worksheet", ENTITY),
        "document type",
    ),
    (Format.XLSX, with_part(sheet(GOOD), SHEET, b'<row r="2"', b'<row r="99999999999999999999"'), "row 10001"),
    (Format.XLSX, with_part(sheet(GOOD), SHEET, b'r="J1"', b'r="XFD1"'), "16384 cells"),
    (Format.XLSX, formula(), "row 2 has a formula"),
    (Format.XLSX, sheet(*[{**GOOD, "Port": port} for port in range(1, 202)]), "more than 200 rules"),
    (Format.XLSX, saved(Workbook()), "the file is empty"),
    (Format.CSV, b"\xff\xfe", "not UTF-8"),
    (Format.CSV, b'a,"b', "not CSV"),
    (Format.CSV, b"", "the file is empty"),
    (Format.CSV, b"\n\n", "the file is empty"),
    (Format.CSV, f"{HEAD},Colour\n".encode(), "'Colour' is no column"),
    (Format.CSV, f"{HEAD},Port\n".encode(), "Port is there twice"),
    (Format.CSV, HEAD.replace("Port,", "").replace("Source,", "").encode(), "Port is missing; the column Source"),
    (Format.CSV, f"{HEAD}\n{',' * 20}x\n".encode(), "row 2 has more cells"),
    (Format.CSV, b"\n" * 10_001 + HEAD.encode(), "row 10001"),
    (Format.CSV, b"x" * (2 << 20), "2097152 bytes"),
    (Format.JSON, b"", "not JSON"),
    (Format.JSON, b"[" * 100_000, "nested too deeply"),
    (Format.JSON, b"NaN", "NaN is no value"),
    (Format.JSON, b"1" * 5000, "not JSON"),
    (Format.JSON, b'["\\ud800"]', "not JSON"),
    (Format.JSON, b'{"Permissions": 1}', "no list"),
    (Format.JSON, b'{"Rules": []}', "Rules cannot stand"),
    (Format.JSON, b"[1]", "entry 0"),
    (Format.JSON, b'[{"Direction": []}]', "entry 0"),
    (Format.JSON, b'[{"Colour": 1}]', "Colour is no field"),
    (Format.JSON, b'[{"Direction": 1, "Direction": 2}]', "twice"),
    (Format.JSON, json.dumps([PERMISSION] * 201).encode(), "has 201 rules"),
]


@pytest.mark.parametrize(("form", "data", "match"), FILES, ids=[match for _, _, match in FILES])
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(form: Format, data: bytes, match: str) -> None:
    with pytest.raises(BadRulesFile, match=match) as caught:
        read(form, data)
    assert isinstance(caught.value, InvalidInput)
    assert caught.value.code == "exchange.file"
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("form", Format)
def test_whatever_is_sent_there_is_a_preview_or_one_clear_error(form: Format) -> None:
    """Random bytes, and files of each format with bytes changed, cut out, doubled; parts of XLSX changed inside."""
    chance = random.Random(form.value)
    lines = [Rule.parse("in allow tcp 80 from 10.0.0.0/8"), Rule.parse('out deny all to group sg-1 "x"')]
    whole = export(form, "sg", exported(lines), KNOWN)
    seen = set()
    for _ in range(150):
        data = mutated(chance, whole) if chance.random() < 0.9 else chance.randbytes(chance.randrange(300))
        try:
            found = read(form, data)
        except BadRulesFile:
            seen.add("refused")
        else:
            seen.add("ok" if found.ok else "problems")
    assert "refused" in seen
    assert len(seen) > 1


def mutated(chance: random.Random, data: bytes) -> bytes:
    if data[:2] == b"PK" and chance.random() < 0.8:
        with zipfile.ZipFile(io.BytesIO(data)) as found:
            parts = {each: found.read(each) for each in found.namelist()}
        name = chance.choice(list(parts))
        return archive(**{**parts, name: mutated(chance, parts[name])})
    found_bytes = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(found_bytes) or 1)
        if chance.random() < 0.5:
            found_bytes[at : at + 1] = bytes([chance.randrange(256)])
        else:
            piece = found_bytes[at : at + chance.randrange(30)]
            found_bytes[at : at + len(piece)] = piece * chance.choice([0, 2, 3])
    return bytes(found_bytes)


def test_less_than_the_limits_is_read() -> None:
    few = Limits(rows=2)
    rows = [{**GOOD, "Port": port} for port in (1, 2, 3)]
    assert len(preview(Format.XLSX, sheet(*rows[:2]), "sg", (), ANYTHING, KNOWN, limits=few).rules) == 2
    with pytest.raises(BadRulesFile, match="more than 2 rules"):
        preview(Format.XLSX, sheet(*rows), "sg", (), ANYTHING, KNOWN, limits=few)
