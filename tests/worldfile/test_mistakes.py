"""Mistakes in world files: each where it is, in words that help, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ringfence.errors import InvalidInput, Mistake, WorldFileError
from ringfence.model import validation
from ringfence.worldfile import parse, read
from tests.worldfile.mistakes import ROWS


def mistakes(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(WorldFileError) as caught:
        parse(text, "test.yaml")
    return caught.value.mistakes


def marks(text: str) -> list[tuple[int, str, list[str]]]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        for mark in line.split("#! ")[1:]:
            code, *words = (part.strip() for part in mark.split("::"))
            found.append((number, code, words))
    return found


@pytest.mark.parametrize("title", ROWS)
def test_every_mistake_where_it_is_and_nothing_else(title: str) -> None:
    expected = marks(ROWS[title])
    found = mistakes(ROWS[title])
    assert [(each.line, each.code) for each in found] == [(line, code) for line, code, _ in expected]
    for each, (_, _, words) in zip(found, expected, strict=True):
        for word in words:
            assert word in str(each)
        assert each.what
        assert each.right
        assert each.column > 0


def test_the_table_has_every_code_of_the_model() -> None:
    room = Path(validation.__file__).parent
    # A file tells of no edit, so none can be refused to a tenant.
    source = "".join(path.read_text(encoding="utf-8") for path in room.glob("*.py") if path.name != "managed.py")
    codes = set(
        re.findall(r'"((?:world|limit|input)\.\w+|(?:Invalid|NotSupported)[\w.]+|AuthorizationLimitExceed)"', source)
    )
    covered = {code for text in ROWS.values() for _, code, _ in marks(text)}
    assert len(codes) > 45
    assert codes <= covered


@pytest.mark.parametrize(
    ("text", "line", "code", "words"),
    [
        ("", 1, "world.empty", "the file is empty"),
        ("# nothing yet\n", 1, "world.empty", "describe vpcs, groups and instances"),
        ("groups:\n\tsg: []\n", 2, "world.yaml", "indent with spaces"),
        ("groups:\n  sg: [a\n", 3, "world.yaml", "while parsing a flow sequence that starts in line 2"),
        ("groups: {sg: ]}\n", 1, "world.yaml", "check indentation, brackets and quotes"),
        ("vpcs:\n  shop: {cidrs: [::/0]}\n", 2, "world.yaml", "'::'"),
        ("groups: {}\n---\ngroups: {}\n", 2, "world.yaml", "one document"),
        ("groups: *base\n", 1, "world.yaml", "define the anchor"),
        ("groups: &all\n  sg: *all\n", 1, "world.yaml", "an alias stands inside of what it names"),
        ("groups: &all [*all]\n", 1, "world.yaml", "write it out"),
        ("groups:\n  sg: !!python/object:os.system []\n", 2, "world.yaml", "the tag !!python/object:os.system"),
        ("groups:\n  sg: !include sg.yaml\n", 2, "world.yaml", "the tag !include means nothing here"),
        ("one: &one {}\ngroups:\n  <<: *one\n", 3, "world.unsupported", "merge keys"),
        ("groups: {}\n# \x01\n", 2, "world.yaml", r"the character '\x01' is not allowed"),
        ('groups: {sg: {description: "\\ud800"}}\n', 1, "world.yaml", "half a character"),
        ('groups:\n  sg: {description: "\\UFFFFFFFF"}\n', 2, "world.yaml", "correct it"),
        ("[" * 5000, 1, "world.yaml", "nested too deeply"),
    ],
)
def test_what_is_no_yaml_for_us_is_one_mistake(text: str, line: int, code: str, words: str) -> None:
    (found,) = mistakes(text)
    assert (found.line, found.code) == (line, code)
    assert words in str(found)


def test_an_alias_bomb_is_refused_at_once() -> None:
    layers = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    found = mistakes(f"a0: &a0 [x]\n{layers}\ngroups: *a29\n")
    assert found[-1].code == "world.type"
    assert len(found) == 31


TEN = """\
profile: huawei
vpcs:
  s:
    cidrs: [10.0.0.0/8]
    subnets:
      web: 10.0.1.0/24
      db: 11.0.0.0/9
groups:
  sg-web:
    rules:
      - in allow tcp 80,443 from any
      - in allow tcp 99999 from any
      - in allow tcp 22 form any
      - in allow tcp 22 from group sg-wbe
    tag: {env: prod}
  sg-db:
    rules:
      - in allow tcp 3306 from group sg-web priority 0
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: [sg-web]}
  web-2: {subnet: web, ip: 10.0.1.11, groups: [sg-web]}
  db-1: {subnet: dbs, ip: 11.0.0.21, groups: [sg-db]}
outside:
  laptop: 203.0.113.9/24
expect:
  - web-1 -> db-1 tcp/3306 allow
  - laptop -> web-9 tcp/80 deny
"""


def test_ten_mistakes_give_ten_messages() -> None:
    with pytest.raises(WorldFileError) as caught:
        parse(TEN, "shop.yaml")
    assert str(caught.value).splitlines() == [
        "shop.yaml: 10 mistakes",
        "  line 7: 11.0.0.0/9 is not inside VPC s; choose a part of 10.0.0.0/8, or add it to cidrs [world.outside_vpc]",
        "  line 12: '99999' is not a port; use a number from 1 to 65535 [input.notation]",
        "  line 13: 'form' stands where the preposition should be; use from or to [input.notation]",
        "  line 14: there is no group 'sg-wbe'; did you mean 'sg-web'? [InvalidSourceGroupId.NotFound]",
        "  line 15: unknown key 'tag' in group sg-web; did you mean 'tags'? [world.unknown_key]",
        "  line 18: priority 0 is out of range; use 1 (strongest) to 100 [input.notation]",
        "  line 21: 10.0.1.11 belongs to web-1.eth0 already; choose a free address [world.address_in_use]",
        "  line 22: there is no subnet 'dbs'; did you mean 'db'? [world.unknown_subnet]",
        "  line 24: '203.0.113.9/24' is not an address; write one like 10.0.1.11 or fd00:10::1 [input.notation]",
        (
            "  line 27: there is no instance, virtual IP, outside host or group 'web-9'; did you mean 'web-2'?"
            " [input.unknown_name]"
        ),
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing.yaml", tmp_path / "binary.yaml"
    binary.write_bytes(b"groups: \xff\n")
    for path, words in ((missing, "No such file"), (tmp_path, "Is a directory"), (binary, "byte 8 is not UTF-8")):
        with pytest.raises(InvalidInput, match=re.escape(f"cannot read {path}: {words}")):
            read(path)


def test_a_mistake_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text("\ufeffgrups: {}\n", encoding="utf-8")
    with pytest.raises(WorldFileError, match=re.escape(f"{path}: 1 mistake\n  line 1: unknown key 'grups'")):
        read(path)
