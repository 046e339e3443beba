"""FTP data connections through the gates, with a real server and a real client: active and passive, in both families.

The groups allow port 21 and, unless a test says so, nothing else in either direction: a data connection passes because
it was announced in a session whose ports have the helper, or not at all.
"""

from __future__ import annotations

import ftplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path

import pytest

from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from tests.lab.worlds import world

pytestmark = pytest.mark.packets

families = pytest.mark.parametrize("family", list(Family), ids=str)

WORLD = """
profile: huawei
vpcs:
  v:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      s: {{cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}}
      t: {{cidr: 10.0.2.0/24, cidr6: "fd00:10:0:2::/64"}}
  w:
    cidrs: [10.1.0.0/16, "fd00:11::/56"]
    subnets:
      u: {{cidr: 10.1.1.0/24, cidr6: "fd00:11:0:1::/64"}}
peerings: [{{vpcs: [v, w]}}]
groups:
  sg-client:
    ftp_helper: {client}
    rules: [{client_rules}]
  sg-server:
    ftp_helper: {server}
    rules: [{server_rules}]
instances:
  client: {{subnet: s, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [sg-client]}}
  stranger: {{subnet: s, ip: 10.0.1.12, ip6: "fd00:10:0:1::12", groups: [sg-client]}}
  server: {{subnet: t, ip: 10.0.2.21, ip6: "fd00:10:0:2::21", groups: [sg-server]}}
  far: {{subnet: u, ip: 10.1.1.21, ip6: "fd00:11:0:1::21", groups: [sg-server]}}
  liar: {{subnet: t, ip: 10.0.2.22, ip6: "fd00:10:0:2::22", groups: [sg-server]}}
"""
FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
CONTENT = b"whatever\n" * 1000
SOON, LATE = 0.3, 20.0  # seconds: to wait for what must not come, and for what must


def address(lab: Lab, name: str, family: Family) -> str:
    return str(lab.world.endpoint(name, family).address)


def connects(to: tuple[str, int], patience: float) -> bool:
    """Whether a connection comes about; the only other thing that may happen is that nothing comes back."""
    try:
        socket.create_connection(to, patience).close()
    except TimeoutError:
        return False
    return True


def enforce(
    lab: Lab, *, client: bool, server: bool, wide: bool = False, served: str = "in allow tcp 21 from any"
) -> None:
    """Switch the helper of both groups. ``wide``: whatever is sent leaves; only what comes in is judged."""
    client_rules = "out allow all to any" if wide else "out allow tcp 21 to any"
    server_rules = ", ".join(filter(None, (served, "out allow all to any" if wide else "")))
    switches = {"client": str(client).lower(), "server": str(server).lower()}
    lab.enforce(world(WORLD.format(**switches, client_rules=client_rules, server_rules=server_rules)))


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with two FTP servers, one of them in another VPC."""
    root = tmp_path_factory.mktemp("ftp")
    (root / "file").write_bytes(CONTENT)
    first = world(WORLD.format(client="false", server="false", client_rules="", server_rules=""))
    with Lab.up(first, lab_names()) as built, serving(built, "server", root), serving(built, "far", root):
        yield built


@contextmanager
def serving(lab: Lab, name: str, root: Path) -> Iterator[None]:
    """An FTP server at each of an instance's addresses."""
    # Python 3.11 warns that what the server is made of will go; there it runs, and later it brings its own.
    command = [sys.executable, "-W", "ignore", "-m", "pyftpdlib", "-p", "21", "-d", str(root), "-i"]
    addresses = [address(lab, name, family) for family in Family]
    with inside(lab.namespace(name)):
        servers = [subprocess.Popen([*command, at], stderr=subprocess.DEVNULL) for at in addresses]
    try:
        for at in addresses:
            wait_for_server(lab.namespace(name), at)
        yield
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(10)


def wait_for_server(namespace: str, at: str) -> None:
    deadline = time.monotonic() + LATE
    while True:
        try:
            with inside(namespace), socket.create_connection((at, 21), 1):
                return
        except OSError:
            assert time.monotonic() < deadline, "the FTP server does not listen"
            time.sleep(0.05)


class Client(ftplib.FTP):
    """The library's client, which forgets its listening socket where the server does not take it."""

    def makeport(self) -> socket.socket:
        listening = socket.create_server(("", 0), family=self.af, backlog=1)
        try:
            port, own = listening.getsockname()[1], str(self.sock and self.sock.getsockname()[0])
            announce = self.sendport if self.af == socket.AF_INET else self.sendeprt
            announce(own, port)
        except BaseException:
            listening.close()
            raise
        listening.settimeout(self.timeout)
        return listening


@contextmanager
def session(lab: Lab, family: Family, server: str = "server") -> Iterator[Client]:
    """A session of the client, logged in; the block runs inside the client."""
    with inside(lab.namespace("client")), closing(Client()) as ftp:
        ftp.connect(address(lab, server, family), 21, LATE)
        ftp.login()
        yield ftp


def fetch(ftp: Client, *, passive: bool, patience: float = LATE) -> bool:
    """Whether the file comes over a data connection; the only other thing that may happen is that nothing comes."""
    assert ftp.sock
    ftp.set_pasv(passive)
    ftp.timeout = patience
    ftp.sock.settimeout(patience)  # a server may connect before it answers
    got = bytearray()
    try:
        ftp.retrbinary("RETR file", got.extend)
    except TimeoutError:
        return False
    assert bytes(got) == CONTENT
    return True


@families
@pytest.mark.parametrize(("client", "server"), list(product((False, True), repeat=2)))
@pytest.mark.parametrize(("name", "wide"), [("server", False), ("server", True), ("far", False)])
def test_a_data_connection_skips_the_gates_of_ports_that_have_the_helper(
    lab: Lab, family: Family, name: str, client: bool, server: bool, wide: bool
) -> None:
    """It is sent by the client if passive, by the server if active; no gate lets it pass, but the sender's if wide.

    Between two VPCs each of them tracks it by itself.
    """
    enforce(lab, client=client, server=server, wide=wide)
    for passive in (True, False):
        receiver_skips, sender_skips = (server, client) if passive else (client, server)
        passes = receiver_skips and (sender_skips or wide)
        with session(lab, family, name) as ftp:
            assert fetch(ftp, passive=passive, patience=LATE if passes else SOON) is passes


@families
def test_nothing_begins_without_a_rule_for_port_21(lab: Lab, family: Family) -> None:
    enforce(lab, client=True, server=True, served="")
    with inside(lab.namespace("client")):
        assert not connects((address(lab, "server", family), 21), SOON)


@families
def test_an_announced_port_is_open_to_whom_it_was_announced_and_once(lab: Lab, family: Family) -> None:
    enforce(lab, client=True, server=True)
    with session(lab, family) as ftp:
        host, port = ftp.makepasv()
        with inside(lab.namespace("stranger")):
            assert not connects((host, port), SOON)
        assert not connects((host, port - 1), SOON)
        assert connects((host, port), LATE)
        assert not connects((host, port), SOON)


@families
def test_a_switch_counts_for_sessions_that_begin_with_it_and_off_for_all(lab: Lab, family: Family) -> None:
    enforce(lab, client=False, server=False)
    with session(lab, family) as ftp:
        enforce(lab, client=True, server=True)
        assert not fetch(ftp, passive=True, patience=SOON)
    with session(lab, family) as ftp:
        assert fetch(ftp, passive=True)
        assert fetch(ftp, passive=True)
        enforce(lab, client=False, server=False)
        assert not fetch(ftp, passive=True, patience=SOON)


@families
@pytest.mark.parametrize(("named", "passes"), [("client", True), ("stranger", False)])
def test_naming_another_machine_opens_nothing(lab: Lab, family: Family, named: str, passes: bool) -> None:
    """A server that goes wherever it is sent, and a client that sends it to a machine that has the helper as well."""
    enforce(lab, client=True, server=True)
    port, own, target = 5000, address(lab, "liar", family), address(lab, named, family)
    with inside(lab.namespace(named)):
        listening = socket.create_server((target, port), family=FAMILIES[family])
    with inside(lab.namespace("liar")):
        control = socket.create_server((own, 21), family=FAMILIES[family])
    with listening, control, inside(lab.namespace("client")), socket.create_connection((own, 21), LATE) as asking:
        serving, _ = control.accept()
        with serving:
            for line in ("USER anybody", announcement(target, port)):  # nobody reads what is announced in a first line
                asking.sendall(f"{line}\r\n".encode())
                assert serving.recv(100).decode() == f"{line}\r\n"
            with inside(lab.namespace("liar")):
                assert connects((target, port), LATE if passes else SOON) is passes


def announcement(target: str, port: int) -> str:
    """What a client says to have data sent to it (RFC 959, RFC 2428)."""
    if ":" in target:
        return f"EPRT |2|{target}|{port}|"
    return f"PORT {','.join([*target.split('.'), str(port >> 8), str(port & 255)])}"


STATELESS = """
profile: alibaba
vpcs:
  v:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      s: {{cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}}
      t: {{cidr: 10.0.2.0/24, cidr6: "fd00:10:0:2::/64", acl: edge}}
acls:
  edge: {{vpc: v, rules: [{acl}]}}
groups:
  helped:
    vpc: v
    ftp_helper: true
    rules: [in allow tcp 21 from any, out allow tcp 21 to any, out deny all to any priority 2]
instances:
  client: {{subnet: s, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [helped]}}
  server: {{subnet: t, ip: 10.0.2.21, ip6: "fd00:10:0:2::21", groups: [helped]}}
"""
CONTROL = ("in allow tcp 21 from any to any", "out allow tcp from any port 21 to any")
DATA = ("in allow tcp 1024-65535 from any to any", "out allow tcp from any port 1024-65535 to any")


def test_the_helper_opens_no_stateless_acl(lab_name: str, tmp_path: Path) -> None:
    """Such an ACL judges every packet, also of a data connection (passive here), and knows no helper."""
    (tmp_path / "file").write_bytes(CONTENT)
    worlds = {
        passes: world(STATELESS.format(acl=", ".join(lines)))
        for passes, lines in ((False, CONTROL), (True, CONTROL + DATA))
    }
    with Lab.up(worlds[False], lab_name) as lab, serving(lab, "server", tmp_path):
        for (passes, wanted), family in product(worlds.items(), Family):
            lab.enforce(wanted)
            with session(lab, family) as ftp:
                assert fetch(ftp, passive=True, patience=LATE if passes else SOON) is passes
