"""``why``, ``fix``, ``reach`` and their siblings as one family: the same ends, options, messages, and what is next."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import Done, ringfence
from tests.cli.test_model_commands import WORLD
from tests.served import served

EMPTY = "vpcs: {shop: {cidrs: [10.0.0.0/16], subnets: {a: 10.0.1.0/24}}}\ngroups: {sg-a: [in allow tcp 22 from any]}\n"
FLOW = ("web-1", "db-1", "tcp/22")
TWO = "give one of FILE, --lab and --server"
OF_SERVER = "--as-of is of a server"
REFUSED: list[tuple[str, str]] = [
    ("fix -f FILE internet web-1 tcp/22", "internet is not one end; name an outside host (laptop) or an address"),
    ("fix -f FILE sg-web db-1 tcp/22", "group sg-web is not one end; name a member: web-1.eth0"),
    ("fix -f EMPTY sg-a 10.0.1.9 tcp/22", "group sg-a is not one end; and it has no member; name an instance"),
    ("fix -f FILE 10.0.1.0/24 db-1 tcp/22", "10.0.1.0/24 is not one end; name an address of it"),
    ("why -f FILE 10.0.1.0/24 db-1 tcp/22", "10.0.1.0/24 is not one end; name an address of it"),
    ("reach FILE --from 10.0.1.0/24", "10.0.1.0/24 is not one end; name an address of it"),
    ("why -f FILE sg-wbe db-1 tcp/22", "virtual IP, outside host or group 'sg-wbe'; did you mean 'sg-web'?"),
    ("reach FILE --to sg-wbe", "virtual IP, outside host or group 'sg-wbe'; did you mean 'sg-web'?"),
    ("why -f FILE --lab x web-1 db-1 tcp/22", TWO),
    ("why -f FILE --server http://127.0.0.1:1 web-1 db-1 tcp/22", TWO),
    ("fix -f FILE --lab x web-1 db-1 tcp/22", TWO),
    ("fix -f FILE --server http://127.0.0.1:1 web-1 db-1 tcp/22", TWO),
    ("reach -f FILE --lab x", TWO),
    ("lint -f FILE --lab x", TWO),
    ("why -f FILE --as-of 3 web-1 db-1 tcp/22", OF_SERVER),
    ("fix -f FILE --as-of 3 web-1 db-1 tcp/22", OF_SERVER),
    ("reach FILE --as-of 3", OF_SERVER),
    ("lint --lab x --as-of 3", OF_SERVER),
    ("why --probe --server http://127.0.0.1:1 web-1 db-1 tcp/22", "--probe sends the packet in a lab"),
    ("fix -f FILE --from-port 0 web-1 db-1 tcp/22", "--from-port"),
    ("reach FILE --over ipv5", "--over"),
    ("why -f FILE --bundle /nowhere/x.gz web-1 db-1 tcp/22", "/nowhere/x.gz cannot be written: No such file"),
    ("lint FILE --sarif /nowhere/x", "/nowhere/x cannot be written: No such file"),
    ("reach FILE --heatmap /nowhere/x", "/nowhere/x cannot be written: No such file"),
    ("lint FILE --baseline /nowhere/x", "/nowhere/x is not there; make it with --write-baseline"),
    ("import /nowhere/x", "/nowhere/x cannot be read: No such file or directory; name a file that can"),
]


@pytest.fixture
def worlds(tmp_path: Path) -> dict[str, str]:
    for name, text in (("FILE", WORLD), ("EMPTY", EMPTY)):
        (tmp_path / name).write_text(text)
    return {name: str(tmp_path / name) for name in ("FILE", "EMPTY")}


def asked(line: str, worlds: dict[str, str]) -> Done:
    return ringfence(*(worlds.get(word, word) for word in line.split()))


@pytest.mark.parametrize(("line", "message"), REFUSED)
def test_what_is_refused_says_what_would_be_right(line: str, message: str, worlds: dict[str, str]) -> None:
    done = asked(line, worlds)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


TOLD: list[tuple[str, list[str], list[str]]] = [
    ("reach EMPTY", ["nothing passes", "no instance is there"], []),
    ("reach FILE --from db-1 --to laptop", ["nothing passes from db-1 to laptop"], ["no instance is there"]),
    ("reach -f FILE --over ipv6", ["ipv6"], ["ipv4", "db-1.eth0"]),
    ("reach FILE --service 22", ["22 is IP protocol 22 here; a port is asked for as tcp/22"], []),
    ("why -f FILE web-1 db-1 22", ["22 is IP protocol 22 here; a port is asked for as tcp/22"], []),
    ("fix -f FILE web-1 db-1 22", ["22 is IP protocol 22 here; a port is asked for as tcp/22"], []),
    ("why -f FILE web-1 db-1 gre", [], ["IP protocol"]),
    ("why -f FILE web-1 db-1 tcp/3306", [], ["$ ringfence fix"]),
    ("why -f FILE web-1 db-1 tcp/22 --json", [], ["$ ringfence fix"]),
    ("fix -f FILE web-1 db-1 tcp/22 --from-port 7 --over ipv4", ["from port 7", "--over ipv4 --from-port 7 -f "], []),
    ("tidy EMPTY", ["sg-a: 2 of 50 rules (written as 1), as few as it takes"], []),
    ("tidy FILE --group sg-db", ["sg-db: 2 of 50 rules, 1 says the same; "], ["written as"]),
    ("lint -f EMPTY", ["1 note\nline 2  group sg-a"], ["1 note\n\n1 note"]),
    ("diff EMPTY FILE", ["all but tcp 25,42,", ",…\n", "… and more ports; --json tells all"], ["9995-9996"]),
    ("diff EMPTY FILE --json", ["9995-9996"], ["…"]),
]


@pytest.mark.parametrize(("line", "pieces", "none"), TOLD, ids=[line for line, *_ in TOLD])
def test_what_is_told(line: str, pieces: list[str], none: list[str], worlds: dict[str, str]) -> None:
    done = asked(line, worlds)
    said = done.out + done.err
    assert done.code in (0, 1), said
    assert [piece for piece in pieces if piece not in said] == []
    assert [piece for piece in none if piece in said] == []
    assert not any(text != text.rstrip() for text in done.out.splitlines() if not text.startswith(" "))


@pytest.mark.parametrize(
    "line",
    [
        "why -f FILE web-1 db-1 tcp/22",
        "why -f FILE laptop web-1 tcp/443 --over ipv6",
        "why -f FILE web-1 db-1 tcp/22 --from-port 4000",
        "why -f FILE internet sg-db tcp/22 --over ipv4",
    ],
)
def test_why_names_the_way_to_the_fix_and_fix_the_way_to_write_it(line: str, worlds: dict[str, str]) -> None:
    """Each line is run as it is printed; the flow passes at the end."""
    told = asked(line, worlds)
    assert told.code == 1
    fix = told.out.rpartition("    $ ringfence ")[2].splitlines()[0]
    found = ringfence(*shlex.split(fix))
    assert found.code == 0, found.err
    write = found.out.strip().splitlines()[-1].removeprefix("ringfence ").removesuffix(" makes the first.")
    assert ringfence(*shlex.split(write)).code == 0
    assert ringfence("why", *shlex.split(fix)[1:]).code == 0


def test_a_server_is_asked_as_it_was(tmp_path: Path, worlds: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path) as service:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("RINGFENCE_SERVER", service.url)
        monkeypatch.setenv("RINGFENCE_ACCESS_KEY_ID", service.key.id)
        monkeypatch.setenv("RINGFENCE_ACCESS_KEY_SECRET", service.key.secret.reveal())
        assert ringfence("apply", worlds["FILE"], "--yes").code == 0
        then = str(service.control.state.revision)
        assert ringfence("rule", "add", "sg-db", "in allow tcp 22 from any").code == 0
        for words, now, before in (
            (("why", *FLOW), (0, "ALLOW"), (1, "DENY")),
            (("fix", *FLOW), (0, "passes already"), (0, "The smallest fix")),
            (("reach", "--service", "tcp/22", "--to", "db-1"), (0, "tcp 22"), (0, "nothing passes")),
            (("lint",), (1, "sg-db: in allow tcp 22"), (1, "redundant-rule")),
        ):
            for at, (code, piece) in (((), now), (("--as-of", then), before)):
                done = ringfence(*words, *at)
                assert (done.code, piece in done.out) == (code, True), (words, at, done)
        refused = ringfence("fix", "sg-web", "db-1", "tcp/22")
        assert (refused.code, "group sg-web is not one end; name a member: web-1.eth0" in refused.err) == (2, True)
        assert "sg-db: in allow tcp 22" not in ringfence("lint", "--as-of", then).out


def test_what_asks_no_server_loads_no_http_client(worlds: dict[str, str]) -> None:
    """A quarter of the start of ``why -f`` was that."""
    command = [sys.executable, "-X", "importtime", "-m", "ringfence", "why", "-f", worlds["FILE"], *FLOW]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "ringfence.analysis.why" in done.stderr
    assert "httpx" not in done.stderr
