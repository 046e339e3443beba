"""The command line against a real server, as its users meet it."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import Done, ringfence
from tests.served import Served, served

WORLD = """# of one account: another takes other addresses
vpcs:
  mill: {profile: alibaba, cidrs: [10.9.0.0/16], subnets: {floor: 10.9.1.0/24}}
groups:
  sg-mill: {vpc: mill, rules: ["in allow tcp 80 from any"]}
instances:
  mill-1: {subnet: mill/floor, ip: 10.9.1.11, groups: [sg-mill]}
outside: {customer: 198.51.100.7}
expect:
  - customer -> mill-1 tcp/80 allow
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("cli")) as running:
        yield running


@pytest.fixture(autouse=True)
def env(service: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Nobody is logged in; the environment names the server and an access key."""
    own = {
        "XDG_CONFIG_HOME": str(tmp_path),
        "RINGFENCE_SERVER": service.url,
        "RINGFENCE_ACCESS_KEY_ID": service.key.id,
        "RINGFENCE_ACCESS_KEY_SECRET": service.key.secret.reveal(),
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    return own


def said(line: str, code: int = 0) -> Done:
    """What a command says; its exit code is as told."""
    done = ringfence(*shlex.split(line))
    assert done.code == code, f"{line}: {done}"
    assert "Traceback" not in done.err
    return done


STORY = [
    # a network, a group, machines
    ("vpc create shop --cidrs 10.0.0.0/16 --profile alibaba --tag env=prod --switches groups_per_port=3", 0,
     "VPC 'shop' made (revision "),
    ("vpc list --tag env=prod", 0, "id    cidrs        profile  network  tags", "shop  10.0.0.0/16  alibaba  vpc"),
    ("vpc list --tag env=test", 0, "no VPCs"),
    ("vpc show shop", 0, "groups_per_port=3", "tags       env=prod"),
    ("subnet create web --vpc shop --cidr 10.0.1.0/24", 0, "subnet 'web' made"),
    ("group create sg-web --vpc shop --template default --description 'the web'", 0, "group 'sg-web' made"),
    ("group create --name sg-old --vpc shop --dry-run", 0, "group 'sg-old' made: possible; nothing was changed"),
    ("group show sg-old", 1, "there is no group 'sg-old'", "[resource.not_found]"),
    ("instance create web-1 --ports 'subnet=web groups=sg-web' --serve tcp/80 --serve tcp/443", 0, "'web-1' made"),
    ("instance create web-2 --ports '{\"subnet\": \"web\"}'", 0, "instance 'web-2' made"),
    ("port list --groups sg-web", 0, "web-1.eth0  eth0  web-1     web     10.0.1.2   sg-web"),
    # rules, several at once: all or none
    ('rule add sg-web "in allow tcp 80 from any" "in allow tcp 443 from any"', 0, "2 rules added (revision"),
    ('rule add sg-web "in allow tcp 81 from any" "in allw tcp 82 from any"', 2, "rules.1: 'allw' stands where"),
    ('rule add sg-web "in allow tcp 80 from any"', 0, "0 rules added, 1 were there already"),
    ("rule list --group sg-web --direction ingress", 0, "in allow tcp 443 from any priority 1"),
    ('rule remove sg-web "in allow tcp 443 from any"', 0, "1 rule removed"),
    ("rule create --group sg-web --rule 'in deny tcp 25 from any' --description mail", 0, "rule 'sgr-"),
    ("rule create --group sg-web", 2, "direction: direction is missing"),
    # members
    ("group join sg-web web-2", 0, "1 port joined"),
    ("group join sg-web web-2 web-1", 0, "0 ports joined, 2 were in it already"),
    ("group members sg-web", 0, "web-2.eth0", "10.0.1.3"),
    ("group leave sg-web web-2", 0, "1 port left"),
    ("port set web-2.eth0 --groups sg-web", 0, "port 'web-2.eth0' changed"),
    ("group leave sg-web web-2", 1, "web-2"),
    # ports and machines
    ("port create spare --subnet web --groups sg-web --addresses 10.0.1.77 --label front", 0, "port 'eni-"),
    ("port attach nobody web-1", 1, "there is no port 'nobody'"),
    ("port attach spare web-1 --index 3", 0, "attached to 'web-1' as 'spare'"),
    ("port assign spare 10.0.1.78 --count 1", 0, "has 10.0.1.78, 10.0.1.4 as well"),
    ("port assign spare", 2, "give them, or --count N"),
    ("port unassign spare 10.0.1.78", 0, "has 10.0.1.78 no longer"),
    ("port hang spare web-1.eth0", 1, "detach it first", "[InvalidOperation.InvalidEniState]"),
    ("port detach spare --instance web-2", 1, "is no port of web-2"),
    ("port detach spare", 0, "detached (revision "),
    ("port hang spare web-1.eth0 --vlan 5", 1, "[limit.sub_ports_per_instance]"),
    ("port delete spare", 0, "deleted"),
    ("instance move web-2 web --group sg-web", 1, "web-2 is running; stop it first [IncorrectInstanceStatus]"),
    ("instance stop web-2", 0, "instance 'web-2' is stopped"),
    ("instance move web-2 web --group sg-web --address 10.0.1.44", 0, "is in subnet 'web' as 10.0.1.44"),
    ("instance start web-2", 0, "instance 'web-2' is running"),
    ("instance reboot web-2", 0, "instance 'web-2' is running"),
    # changes, refusals
    ("group set sg-web --intra-group drop --description ''", 0, "group 'sg-web' changed"),
    ("group set sg-web", 2, "nothing to change is said", "ringfence group set --help"),
    ("group set sg-web --description x --if-revision 1", 1, "[revision.mismatch]"),
    ("group set sg-web --description x --wait=0", 1, "changed (revision", "is made, but not enforced after 0 s"),
    ("group set sg-web --description x --wait --dry-run", 2, "leave out --wait or --dry-run"),
    ("group create sg-x --type huge --intra-group maybe", 2, "2 problems [input.fields]\n  ", "type: type cannot be",
     "\n  intra_group: intra_group cannot be 'maybe'"),
    ("group create sg-x --name sg-y", 2, "two names are given"),
    ("group delete sg-web", 1, "is used by port web-1.eth0", "[DependencyViolation]"),
    ("vpc create x --cidrs 10.0.0.0/99", 2, "cidrs: '10.0.0.0/99'"),
    ("vpc create x --cidrs 10.1.0.0/16 --switches groups_per_port", 2, "switches: 'groups_per_port' is not accepted"),
    # tags, files of rules, clones
    ("tag group sg-web tier=1 team=web", 0, "tagged: tier=1, team=web"),
    ("untag group sg-web team", 0, "untagged"),
    ("untag group sg-web", 2, "give their keys, or --all"),
    ("tags", 0, "tier=1", "group=1"),
    ("tag nonsense sg-web a=b", 2, "there is no kind 'nonsense'; use vpc"),
    ("group clone sg-web sg-twin --copy-tags", 0, "group 'sg-twin' made with 5 rules"),
    ("group list --vpc shop", 0, "sg-twin  shop  basic", "tier=1"),
    # lists of other kinds
    ("address-group create office --entries 203.0.113.0/24 --entries 198.51.100.7", 0, "'office' made"),
    ("address-group show office", 0, "entries    203.0.113.0/24\n           198.51.100.7"),
    ("address-group set office --entries ''", 0, "changed"),
    ("port-list create web-ports --entries 80 --entries 8000-8100 --max-entries 9 --remarks 80=plain", 0, "made"),
    ("port-list list --entries 8000-8100", 0, "web-ports  80, 8000-8100  9"),
    ("rule add sg-web 'in allow tcp web-ports from any'", 0, ""),
    ("port-list delete web-ports", 1, "is used by rule"),
    ("port-list set web-ports --entries 443", 0, "changed"),
    ("port-list show web-ports", 0, "443"),
    ("port-list delete web-ports --force", 0, "deleted"),
    ("acl create edge --vpc shop --rules 'in deny tcp 22 from any to any'", 0, "'edge' made"),
    ("subnet set web --acl edge", 0, "changed"),
    ("settings list", 0, ""),
    ("quota usage", 0, "vpcs_per_account", "the account", "rules_per_group", "group sg-web"),
    # who
    ("account create tenant", 0, "account 'tenant' made"),
    ("group list --account tenant", 0, "no groups"),
    ("user create alice", 0, "user 'alice' made"),
    ("access-key create --user alice", 0, "Its secret is told only now:", "export RINGFENCE_ACCESS_KEY_SECRET="),
    ("access-key list --user alice", 0, "alice  yes"),
    ("whoami", 0, "account     operator", "by          the environment's key"),
    # what happened
    ("revision list --limit 3", 0, "number  at", "CreateUser"),
    ("revision show 2", 0, "operation   CreateVpc", "+ vpc shop"),
    ("revision revert 999", 1, "no revision 999"),
    ("revision confirm 2", 1, "waits for no confirmation"),
    ("audit --refused --limit 500", 0, "resource.not_found", "revision.mismatch"),
    ("audit --operation CreateVpc", 0, "CreateVpc", "127.0.0.1", "allowed"),
    ("enforcement", 0, "no agent has reported; the newest revision is"),
    # nothing that is there
    ("group", 2, "ringfence group join sg-web web-1"),
    ("grup list", 2, "Did you mean 'group'"),
    ("group list --server http://127.0.0.1:1", 3, "127.0.0.1:1 cannot be reached: Connection refused", "[server."),
    ("group list --server nonsense", 2, "no address of a server"),
    ("apply nowhere.yaml --lab lab --confirm 60s", 2, "of a lab, only --dry-run"),
    ("apply nowhere.yaml --lab lab --server http://127.0.0.1:1", 2, "give one of --lab and --server"),
    ("apply nowhere.yaml --confirm soon", 2, "'soon' is no time; write it like 60s"),
    ("plan nowhere.yaml", 2, "nowhere.yaml cannot be read: No such file"),
]  # fmt: skip


def test_a_story_of_commands() -> None:
    for line, code, *pieces in STORY:
        done = said(str(line), int(str(code)))
        for piece in pieces:
            assert str(piece) in done.out + done.err, f"{line}: {piece!r} is not in {done}"
        assert not done.err.strip() or done.err.startswith(("ringfence: ", "Usage: ")), done


def test_programs_get_json_and_long_lists_whole(tmp_path: Path) -> None:
    said("vpc create many --cidrs 10.7.0.0/16 --profile alibaba")
    made = said("group create sg-many --vpc many --json").json
    assert (made["item"]["name"], made["dry_run"]) == ("sg-many", False)
    lines = [f"in allow tcp {port} from 10.0.0.0/8" for port in range(1000, 1060)]
    assert len(said(f"rule add sg-many {shlex.join(lines)} --json").json["added"]) == 60
    assert len(said("rule list --group sg-many --json").json["items"]) == 60
    assert said("rule list --group sg-many").out.count("\n") == 61
    before = said("group show sg-many --json").json
    assert said(f"group show sg-many --as-of {made['revision']} --json").json == before
    refused = said("group show sg-none --json", 1)
    assert (refused.out, refused.err.count("\n")) == ("", 1)
    for form in ("csv", "xlsx", "json"):
        file = tmp_path / f"rules.{form}"
        said(f"group export-rules sg-many -o {file}")
        said(f"group create sg-{form} --vpc many")
        preview = said(f"group import-rules sg-{form} {file} --preview")
        assert preview.out.count("\nrow ") == 59
        assert "60 rules added: possible; nothing was changed" in preview.out
        assert "60 rules added (revision" in said(f"group import-rules sg-{form} {file}").out
        again = said(f"group import-rules sg-{form} {file} --preview", 1)
        assert "60 of 60 rows cannot be imported; nothing was changed" in again.out
    assert said("group export-rules sg-many --format csv").out.count("\n") >= 60


def test_plan_and_apply_and_take_back(tmp_path: Path) -> None:
    said("account create mill")
    at = "--account mill"
    file, smaller = tmp_path / "mill.yaml", tmp_path / "smaller.yaml"
    file.write_text(WORLD)
    smaller.write_text(WORLD.replace("80 from any", "81 from any"))
    planned = said(f"plan {file} {at}").out
    for piece in ("+ vpc mill\n", "+ rule sg-mill: in allow tcp 80 from any", "+ port mill-1.eth0", "created\n"):
        assert piece in planned
    assert re.search(r"allowed now:\n.* -> mill-1.eth0: tcp 80\n.*, as sg-mill: in allow tcp 80 from any", planned)
    assert "possible; nothing was changed" in said(f"apply {file} {at} --dry-run").out
    assert "created (revision" in said(f"apply {file} {at}").out
    assert said(f"plan {file} {at}").out == "nothing to change\n"
    assert "revision 99999999 cannot be read" in said(f"export {at} --as-of 99999999", 1).err
    exported = tmp_path / "exported.yaml"
    said(f"export {at} -o {exported}")
    assert said(f"plan {exported} {at}").out == "nothing to change\n"

    allowed = said(f"why customer mill-1 tcp/80 {at}").out
    assert "customer (198.51.100.7) -> mill-1 (10.9.1.11)  tcp/80  ALLOW" in allowed
    assert re.search(r"1. into mill-1.eth0: allow\n       by sg-mill sgr-\w+: in allow tcp 80 from any", allowed)
    denied = said(f"why customer mill-1 tcp/22 {at}", 1).out
    assert "Why: port. The rules allow other ports" in denied
    assert "into mill-1.eth0: deny\n       by default-ingress: no rule matched" in denied
    assert "did you mean 'mill-1'" in said(f"why customer mill-2 tcp/22 {at}", 2).err
    assert "ALLOW" in said(f"why customer mill-1 tcp/80 -f {file}").out

    tried = said(f"rule add sg-mill 'in allow tcp 8080 from any' {at} --dry-run").out
    assert "possible; nothing was changed\n\nwho reaches whom:\nallowed now:\n" in tried
    assert re.search(".* -> mill-1.eth0: tcp 8080\n", tried)
    failing = said(f"plan {smaller} {at}", 1).out
    assert "- rule sg-mill: in allow tcp 80" in failing
    assert re.search("denied now:\n.* -> mill-1.eth0: tcp 80", failing)
    assert "expectation fails: customer -> mill-1 tcp/80 allow: it is deny" in failing
    asked = said(f"apply {smaller} {at} --override-expectations trial", 1)
    assert "applying it would delete 1 resource; say --yes if that is meant [apply.deletes]" in asked.err
    assert "[expect.failed]" in said(f"apply {smaller} {at} --yes", 1).err
    bad = tmp_path / "bad.yaml"
    bad.write_text("vpcs: {a: {cidrs: [10.0.0.0/99]}}\n")
    assert f"{bad}: 1 mistake\n  line 1: '10.0.0.0/99'" in said(f"plan {bad} {at}", 2).err

    done = said(f"apply {smaller} {at} --yes --override-expectations trial --confirm 1s --json").json
    number = done["revision"]
    assert re.search("denied now:\n.* -> mill-1.eth0: tcp 80", said(f"diff @{number - 1} @{number} {at}", 1).out)
    assert "tcp 80" in said(f"diff {file} @{number} {at}", 1).out
    assert said(f"diff {smaller} @{number} {at}").out == "nothing changes in who reaches whom\n"
    assert done["confirm_until"]
    limit = time.monotonic() + 20
    while "RevertUnconfirmed" not in said(f"revision list {at}").out:
        assert time.monotonic() < limit
    assert said(f"plan {file} {at}").out == "nothing to change\n"
    assert "- rule" in said(f"revision show {number} {at}").out

    kept = said(f"apply {smaller} {at} --yes --override-expectations trial --confirm 60s")
    assert "unless it is confirmed:\n  ringfence revision confirm" in kept.out
    number = int(kept.out.rsplit(" ", 1)[1])
    assert f"revision {number} is confirmed" in said(f"revision confirm {number} {at}").out
    assert "taken back (revision" in said(f"revision revert {number} {at}").out


@pytest.mark.parametrize(
    ("answer", "seconds", "code", "piece"),
    [
        ("y\n", 60, 0, "is confirmed"),
        ("n\n", 60, 1, "is taken back"),
        ("", 1, 1, "was not confirmed and is taken back"),
    ],
)
def test_who_sits_at_a_terminal_is_asked(
    service: Served, tmp_path: Path, answer: str, seconds: int, code: int, piece: str
) -> None:
    account = f"asked-{code}-{seconds}"
    said(f"account create {account}")
    file = tmp_path / "world.yaml"
    number = 2 + seconds + code
    file.write_text(WORLD.replace("10.9.", f"10.{number}.").replace("100.7", f"100.{number}"))
    ours, theirs = pty.openpty()
    words = ["apply", str(file), "--account", account, "--confirm", f"{seconds}s"]
    with subprocess.Popen(
        [sys.executable, "-m", "ringfence", *words],
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as running:  # fmt: skip
        assert running.stderr
        heard = _read_until(running.stderr.fileno(), b"s left) ")
        os.write(ours, answer.encode())
        out, err = running.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert b"Keep these changes? [y/N]" in heard
    assert running.returncode == code, (out, err)
    assert piece in (out + err).decode()
    with service.client(account) as client:
        there = client.get("/v1/vpcs")["items"]
    assert len(there) == (1 if code == 0 else 0)


def _read_until(file: int, end: bytes) -> bytes:
    heard = b""
    while not heard.endswith(end):
        assert select.select([file], [], [], 30)[0], heard
        piece = os.read(file, 1024)
        assert piece, heard
        heard += piece
    return heard


def test_login_keeps_a_token_and_logout_ends_it(
    service: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RINGFENCE_ACCESS_KEY_ID", "RINGFENCE_ACCESS_KEY_SECRET", "RINGFENCE_SERVER"):
        monkeypatch.delenv(name)
    assert "no server is known; log in with: ringfence login URL" in said("group list", 3).err
    assert "no server is named" in said("login", 3).err
    assert "there is nobody to ask for the secret" in said(f"login {service.url}", 2).err
    secret = tmp_path / "secret"
    secret.write_text(service.key.secret.reveal() + "\n")
    assert "name the key with --key-id" in said(f"login {service.url} --secret-file {secret}", 2).err
    wrong = ringfence("login", service.url, "--key-id", service.key.id, "--secret-file", "-", given=b"wrong")
    assert (wrong.code, "[auth.signature]" in wrong.err) == (1, True)
    assert "nobody is logged in" in said(f"group list --server {service.url}", 1).err
    done = said(f"login {service.url} --key-id {service.key.id} --secret-file {secret} --hours 1")
    assert f"logged in to {service.url} as account operator until " in done.out
    kept = tmp_path / "ringfence" / "login.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert service.key.secret.reveal() not in kept.read_text()
    assert "by          a login until" in said("whoami").out
    said("group list")
    kept.chmod(0o644)
    assert "is open to others (mode 644)" in said("group list", 3).err
    kept.chmod(0o600)
    token = kept.read_text()
    assert f"logged out of {service.url}" in said("logout").out
    assert not kept.exists()
    assert said("logout").out == "nobody was logged in\n"
    kept.write_text(token)
    kept.chmod(0o600)
    assert "[auth.token]" in said("whoami", 1).err
    assert "had ended before" in said("logout").out


def test_watch_tells_changes_as_they_come(service: Served) -> None:
    head = service.control.state.revision
    words = [sys.executable, "-m", "ringfence", "watch", "--after", str(head)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        said("vpc create seen --cidrs 10.8.0.0/16")
        said("vpc set seen --description 'a mill'")
        said("vpc delete seen")
        assert running.stdout
        lines = [running.stdout.readline() for _ in range(7)]
        running.terminate()
    assert re.fullmatch(rf"revision {head + 1} \S+ operator CreateVpc\n", lines[0])
    assert lines[1] == "+ vpc seen\n"
    assert lines[3:5] == ["~ vpc seen\n", "    description: nothing -> a mill\n"]
    assert lines[6] == "- vpc seen\n"


def completed(shell: str, line: str, env: dict[str, str]) -> list[str]:
    """What the tabulator offers at the end of a line."""
    words = line.split(" ")
    asked = {"_RINGFENCE_COMPLETE": f"complete_{shell}", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = ringfence(env=env | asked | {"_TYPER_COMPLETE_ARGS": line})
    return [line for line in done.out.splitlines() if line]


def test_completion_in_the_shells(env: dict[str, str]) -> None:
    said("vpc create comp --cidrs 10.6.0.0/16")
    said("group create sg-comp-1 --vpc comp")
    said("group create sg-comp-2 --vpc comp")
    assert completed("bash", "ringfence gro", env) == ["group"]
    assert completed("bash", "ringfence group sh", env) == ["show"]
    assert completed("bash", "ringfence group show sg-comp", env) == ["sg-comp-1", "sg-comp-2"]
    assert completed("bash", "ringfence group create x --type ", env) == ["basic", "advanced"]
    assert completed("bash", "ringfence group create x --vpc com", env) == ["comp"]
    assert any("sg-comp-1" in line for line in completed("zsh", "ringfence rule add sg-comp", env))
    assert completed("bash", "ringfence group show sg-comp", env | {"RINGFENCE_SERVER": "http://127.0.0.1:1"}) == []
    for shell, piece in (
        ("bash", "complete -o default -F"),
        ("zsh", "#compdef ringfence"),
        ("fish", "complete --comm"),
    ):
        assert piece in ringfence(env={"_RINGFENCE_COMPLETE": f"source_{shell}"}).out


def test_every_command_has_help_and_every_group_an_example() -> None:
    listed = re.findall(r"^  ([a-z-]+) ", said("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert {"check", "up", "login", "plan", "apply", "group", "virtual-ip", "revision", "serve"} <= set(listed)
    for word in listed:
        text = said(f"{word} --help").out
        assert text.startswith(f"Usage: ringfence {word} "), text
        inner = re.findall(r"^  ([a-z-]+) ", text.partition("Commands:")[2], re.MULTILINE)
        if inner and word != "vip":
            assert f"ringfence {word} " in text.partition("Examples:")[2]
        for each in inner:
            help_ = said(f"{word} {each} --help").out
            assert f"Usage: ringfence {word} {each} " in help_
            assert not re.search(r"^  [A-Z][a-z]+ a [aeioA]", help_, re.MULTILINE), "an instance, an ACL"
