"""The specification as a text, `specification.txt`, and the evaluator's word on every line of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from ringfence.model.address import Family
from ringfence.model.profile import ALIBABA, HUAWEI, GroupOrder
from ringfence.policy.evaluate import evaluate
from tests.policy.build import WORDS, ask, build, tell

PROFILES = {"huawei": HUAWEI, "alibaba": ALIBABA, "sequence": replace(HUAWEI, group_order=GroupOrder.SEQUENCE)}
_TITLE = re.compile(r"(?P<title>[^\[]+)\[(?P<profiles>[a-z ]+)\]", re.DOTALL)


class Line(NamedTuple):
    """One flow of a paragraph; groups and lists are still texts with words in braces."""

    profile: str
    ports: str
    groups: dict[str, str]
    lists: dict[str, str]
    flow: str
    path: str


def lines(text: str) -> Iterator[tuple[str, Line]]:
    """Every line of the specification, with its title."""
    _, *paragraphs = re.split(r"\n\n+(?=\d)", text)
    for paragraph in paragraphs:
        head, _, rest = paragraph.partition("\nports: ")
        title = _TITLE.fullmatch(head)
        assert title, head
        ports, *body = re.sub(r";\n +", "; ", rest).strip().splitlines()
        named = dict(line.split(" =", 1) for line in body if "->" not in line)
        groups = {name: text for name, text in named.items() if not name.startswith("list ")}
        lists = {name.removeprefix("list "): text for name, text in named.items() if name.startswith("list ")}
        for profile in title["profiles"].split():
            for line in body:
                if match := re.fullmatch(r"(\S+ -> \S+ \S+)\s+(\S.+)", line):
                    yield title["title"].strip(), Line(profile, ports, groups, lists, match[1], match[2])
                else:
                    assert "->" not in line, line


SPECIFICATION = list(lines(Path(__file__).with_name("specification.txt").read_text()))


@pytest.mark.parametrize("family", list(Family), ids=str)
@pytest.mark.parametrize(
    "line", [line for _, line in SPECIFICATION], ids=[f"{t}-{it.profile}-{it.flow}" for t, it in SPECIFICATION]
)
def test_line(line: Line, family: Family) -> None:
    words = WORDS[family]
    groups = {name: text.format_map(words) for name, text in line.groups.items()}
    lists = {name: text.format_map(words) for name, text in line.lists.items()}
    world = build(PROFILES[line.profile], line.ports, groups, lists)
    assert tell(world, evaluate(world, ask(world, line.flow, family))) == line.path


def test_the_whole_text_is_read() -> None:
    text = Path(__file__).with_name("specification.txt").read_text().split("\n\n\n", 1)[1]
    flows = sum("->" in line for line in text.splitlines())
    assert len({(title, line.flow) for title, line in SPECIFICATION}) == flows
