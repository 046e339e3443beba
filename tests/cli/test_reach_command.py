"""``reach`` as a user meets it: a table, JSON, pictures, and one clear message where a name means nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.shell import ringfence
from tests.cli.test_model_commands import WORLD
from tests.served import served

WEB, DB = "web-1.eth0", "db-1.eth0"
ROOT = Path(__file__).parent.parent.parent
ASKED: list[tuple[tuple[str, ...], list[tuple[list[str], list[str], str, list[str], str, str]]]] = [
    (("--to", "db-1"), [([WEB], [DB], "ipv4", ["tcp 3306"], "some", "web-1 -> db-1 tcp/3306")]),
    (("--to", "sg-db", "--service", "tcp/3307"), []),
    (
        ("--from", "internet"),
        [
            (["outside"], [WEB], "ipv4", ["tcp 80"], "some", "laptop -> web-1 tcp/80"),
            (["outside"], [WEB], "ipv6", ["tcp 80"], "some", "laptop -> web-1 tcp/80 over ipv6"),
        ],
    ),
    (
        ("--from", "2001:db8::9", "--to", "web-1.eth0"),
        [(["outside"], [WEB], "ipv6", ["tcp 80"], "some", "laptop -> web-1 tcp/80 over ipv6")],
    ),
    (("--from", "sg-db"), []),
    (("--from", "laptop", "--service", "tcp/22"), []),
]
TABLES: dict[tuple[str, ...], str] = {
    ("--to", "db-1"): "web-1.eth0 db-1.eth0 ipv4 tcp 3306",
    ("--from", "internet"): "outside web-1.eth0 ipv4, ipv6 tcp 80",
    ("--from", "web-1"): "web-1.eth0 outside ipv4, ipv6 all*",
    ("--from", "sg-db"): "nothing passes from sg-db",
}


@pytest.fixture
def world(tmp_path: Path) -> str:
    path = tmp_path / "shop.yaml"
    path.write_text(WORLD)
    return str(path)


@pytest.mark.parametrize(("words", "ways"), ASKED, ids=[" ".join(words) for words, _ in ASKED])
def test_questions(
    world: str, words: tuple[str, ...], ways: list[tuple[list[str], list[str], str, list[str], str, str]]
) -> None:
    done = ringfence("reach", world, *words, "--json")
    assert done.code == 0, done.err
    keys = ("from", "to", "family", "services", "grade", "example")
    assert done.json["ways"] == [dict(zip(keys, way, strict=True)) | {"risky": []} for way in ways]
    ends = {(end["family"], end["name"]) for end in done.json["ends"]}
    assert all((way[2], name) in ends for way in ways for name in (*way[0], *way[1]))
    for way in ways:
        source, _, destination, *rest = way[5].split()
        assert ringfence("why", source, destination, *rest[:1], *_over(rest), "-f", world).code == 0


def _over(rest: list[str]) -> list[str]:
    return ["--over", rest[-1]] if "over" in rest else []


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
def test_tables(world: str, words: tuple[str, ...]) -> None:
    rows = [" ".join(line.split()) for line in ringfence("reach", world, *words).out.splitlines()]
    assert TABLES[words] in rows
    assert rows[0] == ("from to family services" if len(rows) > 1 else "nothing passes from sg-db")


def test_long_sides_are_cut_short_in_the_table() -> None:
    shown = ringfence("reach", str(ROOT / "examples/databases.yaml"), "--to", "internet").out
    assert " more " in shown
    assert "; none come from the internet; 2 go there" in shown.splitlines()[-2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "db-2"), "there is no instance, virtual IP, outside host or group 'db-2'"),
        (("--from", "127.0.0.1"), "no address that a machine can have"),
        (("--service", "tcp"), "names no port"),
        (("--svg", "/nowhere/x.svg"), "/nowhere/x.svg cannot be written"),
        (("--lab", "x"), "give one of FILE, --lab and --server"),
    ],
)
def test_what_means_nothing_is_refused(world: str, words: tuple[str, ...], message: str) -> None:
    done = ringfence("reach", world, *words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_pictures_beside_the_table(world: str, tmp_path: Path) -> None:
    svg, heat = tmp_path / "graph.svg", tmp_path / "heat.svg"
    done = ringfence("reach", world, "--service", "tcp/80", "--svg", str(svg), "--heatmap", str(heat))
    assert "outside" in done.out
    for path in (svg, heat):
        title = ElementTree.parse(path).getroot().findtext("{http://www.w3.org/2000/svg}title")
        assert title == "Who reaches whom: shop.yaml (by tcp/80)"


def test_a_server_says_the_same_as_its_world_file(world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path) as service:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("RINGFENCE_SERVER", service.url)
        monkeypatch.setenv("RINGFENCE_ACCESS_KEY_ID", service.key.id)
        monkeypatch.setenv("RINGFENCE_ACCESS_KEY_SECRET", service.key.secret.reveal())
        assert ringfence("apply", world, "--yes").code == 0
        drawn = tmp_path / "server.svg"
        asked: list[tuple[str, ...]] = [(), *(words for words, _ in ASKED)]
        for words in asked:
            here, there = ringfence("reach", world, *words, "--json"), ringfence("reach", *words, "--json")
            assert there.code == 0, there.err
            assert there.json == here.json
        assert ringfence("reach", "--to", "db-9").code == 2
        assert ringfence("reach", "--service", "tcp/22", "--server", service.url, "--svg", str(drawn)).code == 0
        assert f"at {service.url} (by tcp/22)" in drawn.read_text()


@pytest.mark.parametrize(("option", "name"), [("--svg", "reach.svg"), ("--heatmap", "reach-heatmap.svg")])
def test_the_pictures_of_the_documents_are_what_the_command_draws(option: str, name: str, tmp_path: Path) -> None:
    """In a process of its own, whose sets have another order: a picture is the same bytes every time."""
    made = tmp_path / name
    words = ("reach", "examples/three-tier.yaml", option, str(made))
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-m", "ringfence", *words], cwd=ROOT, env=env, check=True, capture_output=True)
    again = f"ringfence reach examples/three-tier.yaml {option} docs/{name}"
    assert made.read_bytes() == (ROOT / "docs" / name).read_bytes(), f"draw it again: {again}"
