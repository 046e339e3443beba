"""``why --bundle``: a ticket in one file, from a file, a lab and a server, that holds no secret."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from ringfence.model.flow import Query
from ringfence.policy.evaluate import evaluate
from ringfence.worldfile import parse, read
from tests.cli.shell import Done, ringfence
from tests.served import served

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SECRETS = ("rft_Zm9vYmFyYmF6cXV4", "hunter2hunter2", "s3cr3t-of-the-database", "Tr0ub4dor")
WORLD = f"""\
vpcs:
  v: {{cidrs: [10.0.0.0/16], subnets: {{s: 10.0.1.0/24}}}}
  unused: {{cidrs: [10.9.0.0/16], subnets: {{s9: 10.9.1.0/24}}}}
groups:
  sg-web:
    description: "deployed with token={SECRETS[0]}"
    tags: {{password: {SECRETS[1]}, team: shop}}
    rules:
      - in allow tcp 80-90 from any "postgresql://app:{SECRETS[2]}@db/shop"
      - in allow tcp 91 from group sg-named
  sg-client: [out allow all to any]
  sg-named: [in allow tcp 22 from any]
  sg-other: [in allow tcp 443 from any]
instances:
  web: {{subnet: s, ip: 10.0.1.11, groups: sg-web, serve: [tcp/80]}}
  asks: {{subnet: s, ip: 10.0.1.12, groups: sg-client}}
  other: {{subnet: s, ip: 10.0.1.13, groups: sg-other}}
blocks: {{other: "password={SECRETS[3]}", asks.eth0: "see passwd={SECRETS[3]}"}}
outside: {{laptop: 203.0.113.9}}
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(WORLD)
    return path


def bundled(path: Path) -> dict[str, str]:
    """The files of a bundle, all of them in one folder of its name."""
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        assert all(it.isfile() and it.name.startswith(f"{path.name.partition('.')[0]}/") for it in members)
        assert {(it.mtime, it.uid, it.gid, it.uname, it.gname) for it in members} == {(0, 0, 0, "", "")}
        files = {it.name.partition("/")[2]: tar.extractfile(it) for it in members}
        return {name: file.read().decode() for name, file in files.items() if file}


def judged(files: dict[str, str], question: str) -> Any:
    world = parse(files["world.yaml"], "world.yaml")
    return evaluate(world, world.flow(Query.parse(question))).as_json()


@pytest.mark.parametrize(
    ("source", "service", "cause"),
    [("laptop", "tcp/91", "source"), ("asks", "tcp/80", "penalty"), ("laptop", "tcp/80", None)],
)
def test_a_bundle_of_a_file(world: Path, tmp_path: Path, source: str, service: str, cause: str | None) -> None:
    target = tmp_path / "ticket.tar.gz"
    plain = ringfence("why", source, "web", service, "-f", str(world))
    done = ringfence("why", source, "web", service, "-f", str(world), "--bundle", str(target))
    assert (done.code, done.out) == (plain.code, plain.out)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    files = bundled(target)
    assert files.keys() == {"question.json", "answer.txt", "answer.json", "versions.json", "world.yaml"}
    question, answer = (json.loads(files[f"{name}.json"]) for name in ("question", "answer"))
    assert (question["source"], question["service"]) == (source, service)
    assert question["asked_of"] == "world file shop.yaml"
    assert answer["cause"] == cause
    assert (answer["fix"] is not None) == (cause is not None)
    for fix in filter(None, [answer["fix"]]):
        assert all(f"  {each}\n" in files["answer.txt"] for each in (*fix["edits"], f"  $ {fix['shown_by']}"))
        assert fix["shown_by"] == f"ringfence fix {source} web {service} -f shop.yaml"
    again = judged(files, f"{source} -> web {service}")
    assert {key: again[key] for key in ("flow", "verdict", "arrives")} == {key: answer[key] for key in
                                                                           ("flow", "verdict", "arrives")}  # fmt: skip
    assert [it["rule_id"] for it in again["stages"]] == [it["rule_id"] for it in answer["stages"]]
    assert not any(name in files["world.yaml"] for name in ("unused", "other", "10.0.1.13"))


def test_it_holds_no_secret_and_no_path_and_is_the_same_each_time(world: Path, tmp_path: Path) -> None:
    packed = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        target = tmp_path / folder / "ticket.tar.gz"
        ringfence("why", "asks", "web", "tcp/80", "-f", str(world), "--bundle", str(target))
        packed.append(target.read_bytes())
    assert packed[0] == packed[1]
    everything = "\n".join(bundled(target).values())
    assert "[redacted]" in everything
    assert "shop" in everything
    assert not [secret for secret in SECRETS if secret in everything]
    assert str(tmp_path) not in everything
    assert os.sep + "root" not in everything


def test_what_is_there_is_overwritten_only_if_it_is_said(world: Path, tmp_path: Path) -> None:
    target = tmp_path / "ticket.tar.gz"
    target.write_text("mine")
    asked = ("why", "laptop", "web", "tcp/80", "-f", str(world), "--bundle", str(target))
    refused = ringfence(*asked)
    assert (refused.code, refused.out, target.read_text()) == (2, "", "mine")
    assert "is there already; name another file, or say --overwrite" in refused.err
    target.chmod(0o644)
    assert ringfence(*asked, "--overwrite").code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "world.yaml" in bundled(target)
    missing = ringfence(*asked[:-1], str(tmp_path / "nowhere" / "ticket.tar.gz"))
    assert (missing.code, missing.out) == (2, "")
    assert "nowhere/ticket.tar.gz cannot be written: No such file or directory" in missing.err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_bundle_about_several_has_every_example(tmp_path: Path) -> None:
    target = tmp_path / "all.tar.gz"
    file = EXAMPLES / "rules-that-come-near.yaml"
    done = ringfence("why", "internet", "sg-late", "tcp/443", "-f", str(file), "--bundle", str(target))
    assert done.code == 1
    files = bundled(target)
    whole, part = read(file), parse(files["world.yaml"], "part")
    outcomes = json.loads(files["answer.json"])["outcomes"]
    assert {outcome["verdict"] for outcome in outcomes} == {"allow", "deny"}
    for outcome in outcomes:
        flow = Query.parse(outcome["example"]["flow"].replace("late.eth0", "late"))
        assert evaluate(part, part.flow(flow)) == evaluate(whole, whole.flow(flow))


@pytest.mark.packets
def test_a_bundle_of_a_lab_has_what_its_kernel_holds(world: Path, tmp_path: Path, lab_name: str) -> None:
    target = tmp_path / "ticket.tar.gz"
    with Lab.up(read(world), lab_name, WORLD) as lab:
        with inside(lab.namespace("laptop")):
            client = socket.socket()
        with client:
            client.connect(("10.0.1.11", 80))
            done = ringfence("why", "laptop", "web", "tcp/80", "--lab", lab_name, "--probe", "--bundle", str(target))
    assert done.code == 0, done
    files = bundled(target)
    kernel = {name: text for name, text in files.items() if name.startswith("kernel/")}
    assert kernel.keys() == {"kernel/1-v.nft", "kernel/1-v-connections.json", "kernel/hits.json"}
    answer = json.loads(files["answer.json"])
    rule_id = answer["decided_by"]["rule_id"]
    assert f'comment "{rule_id}' in kernel["kernel/1-v.nft"]
    assert "counter packets 2" in kernel["kernel/1-v.nft"]
    assert [(it["source"], it["destination_port"], it["answered"]) for it in
            json.loads(kernel["kernel/1-v-connections.json"])] == [("203.0.113.9", 80, True)]  # fmt: skip
    hits = {it["rule_id"]: it["packets"] for it in json.loads(kernel["kernel/hits.json"])}
    assert hits[rule_id] >= 2  # the connection, and the probe
    assert answer["proof"]["agree"] is True
    assert not [secret for secret in SECRETS if secret in "\n".join(files.values())]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Done]]:
    """Runs commands against a server that has the world."""
    with served(tmp_path_factory.mktemp("server")) as running:
        env = {
            "XDG_CONFIG_HOME": str(tmp_path_factory.mktemp("home")),
            "RINGFENCE_SERVER": running.url,
            "RINGFENCE_ACCESS_KEY_ID": running.key.id,
            "RINGFENCE_ACCESS_KEY_SECRET": running.key.secret.reveal(),
        }
        file = tmp_path_factory.mktemp("file") / "shop.yaml"
        file.write_text(WORLD)
        assert ringfence("apply", str(file), "--yes", env=env).code == 0
        yield lambda *words: ringfence(*words, env=env)


def test_a_bundle_of_a_server(asked: Callable[..., Done], tmp_path: Path) -> None:
    target = tmp_path / "ticket.tar.gz"
    done = asked("why", "laptop", "web", "tcp/91", "--bundle", str(target))
    assert done.code == 1, done
    files = bundled(target)
    assert done.out.replace(SECRETS[2], "[redacted]").split("\nWhat to change:")[0] == files["answer.txt"]
    assert "it is from group sg-named, and laptop lies outside of every VPC" in done.out
    assert judged(files, "laptop -> web tcp/91")["verdict"] == "deny"
    secrets = (*SECRETS, os.environ.get("RINGFENCE_ACCESS_KEY_SECRET", "hunter2hunter2"))
    assert not [secret for secret in secrets if secret in "\n".join(files.values())]


def test_a_server_says_what_a_file_says(asked: Callable[..., Done], world: Path) -> None:
    """Rules have other ids there; else the two answers are one."""
    for source, destination, service in (
        *(("laptop", "web", "tcp/80"), ("laptop", "web", "tcp/91"), ("asks", "web", "tcp/80")),
        *(("internet", "sg-web", "tcp/91"), ("sg-client", "sg-web", "tcp/80"), ("internet", "web", "udp/80")),
    ):
        question = ("why", source, destination, service)
        local, remote = ringfence(*question, "-f", str(world)), asked(*question)
        assert remote.code == local.code
        assert without_ids(remote.out) == without_ids(local.out.replace(f" -f {world}", ""))


def without_ids(text: str) -> str:
    text = text.split("ringfence fix ")[0]  # which names the file
    return " ".join(word for word in text.split() if not word.startswith("sgr-"))


def test_nothing_is_left_of_the_writing(tmp_path: Path, world: Path) -> None:
    """Killed while it writes or not, the name of the bundle is only ever a whole one's."""
    words = ("why", "laptop", "web", "tcp/80", "-f", str(world), "--bundle", str(tmp_path / "t.tar.gz"))
    subprocess.run([sys.executable, "-m", "ringfence", *words], check=True, capture_output=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop.yaml", "t.tar.gz"]
