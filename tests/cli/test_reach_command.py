"""``reach`` as a user meets it: a table, JSON, and one clear message where a name means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import ringfence
from tests.cli.test_model_commands import WORLD

WEB, DB = "web-1.eth0", "db-1.eth0"
ASKED: list[tuple[tuple[str, ...], list[tuple[list[str], list[str], str, list[str]]]]] = [
    (("--to", "db-1"), [([WEB], [DB], "ipv4", ["tcp 3306"])]),
    (("--to", "sg-db", "--service", "tcp/3307"), []),
    (("--from", "internet"), [(["outside"], [WEB], family, ["tcp 80"]) for family in ("ipv4", "ipv6")]),
    (("--from", "2001:db8::9", "--to", "web-1.eth0"), [(["outside"], [WEB], "ipv6", ["tcp 80"])]),
    (("--from", "sg-db"), []),
    (("--from", "laptop", "--service", "tcp/22"), []),
]


@pytest.fixture
def world(tmp_path: Path) -> str:
    path = tmp_path / "shop.yaml"
    path.write_text(WORLD)
    return str(path)


@pytest.mark.parametrize(("words", "ways"), ASKED, ids=[" ".join(words) for words, _ in ASKED])
def test_questions(world: str, words: tuple[str, ...], ways: list[tuple[list[str], list[str], str, list[str]]]) -> None:
    done = ringfence("reach", world, *words, "--json")
    assert done.code == 0, done.err
    keys = ("from", "to", "family", "services")
    assert done.json == {"ways": [dict(zip(keys, way, strict=True)) for way in ways]}
    table = ringfence("reach", world, *words).out
    rows = [" ".join(line.split()) for line in table.splitlines()]
    told = [f"{one[0]} {two[0]} {family} {services[0]}" for one, two, family, services in ways]
    assert rows == (["from to family services", *told] if told else ["nothing passes"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "db-2"), "there is no instance, virtual IP or outside host 'db-2'"),
        (("--from", "127.0.0.1"), "no address that a machine can have"),
        (("--service", "tcp"), "names no port"),
    ],
)
def test_what_means_nothing_is_refused(world: str, words: tuple[str, ...], message: str) -> None:
    done = ringfence("reach", world, *words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
