"""``check`` and ``why`` as a user meets them: text, JSON, exit codes, and one clear message for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence import errors

WORLD = """\
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      web: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}
      db: 10.0.2.0/24
groups:
  sg-web: [in allow tcp 80 from any, out allow all to any]
  sg-db:
    - in allow tcp 3306 from group sg-web
    - in deny tcp 3300-3400 from 10.0.1.12 priority 50
instances:
  web-1: {subnet: web, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: sg-web}
  db-1: {subnet: db, ip: 10.0.2.21, groups: sg-db}
outside: {laptop: [203.0.113.9, "2001:db8::9"]}
expect:
  - web-1 -> db-1 tcp/3306 allow
  - laptop -> db-1 tcp/3306 deny
  - laptop -> web-1 tcp/80 over ipv6 allow
"""


def ringfence(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ringfence", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def world(tmp_path: Path) -> str:
    path = tmp_path / "shop.yaml"
    path.write_text(WORLD)
    return str(path)


def test_check_prints_each_line_and_says_yes(world: str) -> None:
    done = ringfence("check", world)
    assert done.returncode == 0, done.stderr
    assert [line.split()[-1] for line in done.stdout.splitlines() if "->" in line] == ["ok"] * 3
    assert "3 expectations" in done.stdout


def test_check_says_no_where_the_model_differs_and_why(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(WORLD.replace("laptop -> db-1 tcp/3306 deny", "laptop -> db-1 tcp/3306 allow"))
    done = ringfence("check", str(path))
    assert done.returncode == 1
    assert "DIFFERS" in done.stdout
    assert "no rule matched, and ingress is denied by default" in done.stdout
    told = json.loads(ringfence("check", str(path), "--json").stdout)
    assert not told["ok"]
    assert [row["ok"] for row in told["expectations"]] == [True, False, True]


def test_why_tells_the_path(world: str) -> None:
    done = ringfence("why", "web-1", "db-1", "tcp/3306", "-f", world)
    assert done.returncode == 0, done.stderr
    assert "ALLOW" in done.stdout.splitlines()[0]
    assert "out of web-1.eth0" in done.stdout
    assert "into db-1.eth0" in done.stdout
    assert "in allow tcp 3306 from group sg-web" in done.stdout


def test_why_json_has_verdict_decided_by_and_stages(world: str) -> None:
    done = ringfence("why", "web-1", "db-1", "tcp/3306", "-f", world, "--json")
    told = json.loads(done.stdout)
    assert told["verdict"] == "allow"
    assert [stage["stage"] for stage in told["stages"]] == ["egress", "ingress"]
    assert told["decided_by"] == told["stages"][-1]
    assert told["decided_by"]["group"] == "sg-db"
    assert told["decided_by"]["rule_id"].startswith("sgr-")
    assert told["decided_by"]["text"] == "in allow tcp 3306 from group sg-web priority 1"


@pytest.mark.parametrize(
    ("arguments", "code", "verdict"),
    [
        (("laptop", "web-1", "tcp/80"), 0, "allow"),
        (("laptop", "web-1", "tcp/80", "--over", "ipv6"), 0, "allow"),
        (("laptop", "web-1.eth0", "tcp/81"), 1, "deny"),
        (("laptop", "db-1", "icmp"), 1, "deny"),
        (("10.0.1.11", "10.0.2.21", "tcp/3306"), 0, "allow"),
        (("192.0.2.1", "web-1", "tcp/80"), 0, "allow"),
        (("web-1", "10.0.2.99", "tcp/80"), 1, "deny"),
    ],
)
def test_why_exit_code_is_the_verdict(world: str, arguments: tuple[str, ...], code: int, verdict: str) -> None:
    done = ringfence("why", *arguments, "-f", world, "--json")
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["verdict"] == verdict


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("web-1", "db-2", "tcp/3306"), ("db-2", "did you mean 'db-1'?")),
        (("web-1", "db-1", "tcp"), ("names no port", "tcp/443")),
        (("web-1", "db-1", "tcp/70000"), ("70000", "1 to 65535")),
        (("web-1", "db-1", "tpc/80"), ("tpc", "all, tcp, udp")),
        (("laptop", "db-1", "tcp/80", "--over", "ipv6"), ("db-1 has no ipv6 address", "over ipv4")),
    ],
)
def test_a_bad_question_gets_one_clear_message(
    world: str, arguments: tuple[str, ...], fragments: tuple[str, str]
) -> None:
    done = ringfence("why", *arguments, "-f", world)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert all(fragment in done.stderr for fragment in fragments), done.stderr


def test_a_broken_file_tells_every_mistake_and_a_missing_one_its_path(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(WORLD.replace("tcp 80 from", "tcp 200-1 from").replace("10.0.2.21", "10.9.9.9"))
    done = ringfence("check", str(path))
    assert done.returncode == 2
    assert "2 mistakes" in done.stderr
    assert "write 1-200" in done.stderr
    assert "10.9.9.9 is outside subnet db" in done.stderr
    missing = ringfence("check", str(tmp_path / "none.yaml"))
    assert missing.returncode == 2
    assert "none.yaml" in missing.stderr
    assert "Traceback" not in done.stderr + missing.stderr


def test_error_codes_are_stable_and_unique() -> None:
    classes = [it for it in vars(errors).values() if isinstance(it, type) and issubclass(it, errors.RingfenceError)]
    codes = [it.code for it in classes]
    assert len(set(codes)) == len(codes)
    assert {it.exit_code for it in classes} == {1, 2, 3}
    tree = errors.__doc__ or ""
    assert all(it.__name__ in tree for it in classes)
