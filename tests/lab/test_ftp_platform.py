"""What the platform blocks holds for FTP data connections; a session that outlives its helper closes no open port."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from tests.lab.worlds import world

pytestmark = pytest.mark.packets

WORLD = """
profile: huawei
vpcs:
  v: {{cidrs: [10.0.0.0/16], subnets: {{s: 10.0.1.0/24, t: 10.0.2.0/24}}}}
groups:
  sg: {{ftp_helper: {helper}, rules: [{rules}]}}
instances:
  client: {{subnet: s, ip: 10.0.1.11, groups: [sg]}}
  server: {{subnet: t, ip: 10.0.2.21, groups: [sg]}}
outside:
  stranger: 203.0.113.9
"""


class Session:
    """A control connection on which the server announces whatever port it likes."""

    def __init__(self, client: socket.socket, server: socket.socket, address: str) -> None:
        self._client, self._server, self._address = client, server, address

    def announce(self, port: int) -> None:
        self._client.sendall(b"PASV\r\n")
        assert self._server.recv(100)
        where = self._address.replace(".", ",")
        self._server.sendall(f"227 Entering Passive Mode ({where},{port >> 8},{port & 255})\r\n".encode())
        assert self._client.recv(200)


@contextmanager
def session(lab: Lab, host: str, address: str, *ports: int) -> Iterator[Session]:
    with ExitStack() as stack:
        with inside(lab.namespace(host)):
            control, *_ = [stack.enter_context(socket.create_server((address, port))) for port in (21, *ports)]
        with inside(lab.namespace("client")):
            client = stack.enter_context(socket.create_connection((address, 21), 3))
        server = stack.enter_context(control.accept()[0])
        server.sendall(b"220 ready\r\n")
        assert client.recv(100)
        yield Session(client, server, address)


def connects(lab: Lab, address: str, port: int) -> bool:
    with inside(lab.namespace("client")):
        try:
            socket.create_connection((address, port), 0.7).close()
        except TimeoutError:
            return False
    return True


@pytest.mark.parametrize("port", [25, 445, 50000])
def test_no_helper_opens_what_the_platform_blocks(port: int, lab_name: str) -> None:
    """A hostile server announces tcp/25, which no port may send, or a port that carriers block."""
    address = "203.0.113.9"
    text = WORLD.format(helper="true", rules="out allow tcp 21 to any")
    with Lab.up(world(text), lab_name) as lab, session(lab, "stranger", address, port) as ftp:
        assert not connects(lab, address, port)
        ftp.announce(port)
        assert connects(lab, address, port) is (port == 50000)


def test_a_session_that_outlives_its_helper_closes_no_open_port(lab_name: str) -> None:
    rules = "out allow all to any, in allow tcp 21 from any, in allow tcp 40000-50000 from any"
    before, after = (world(WORLD.format(helper=helper, rules=rules)) for helper in ("true", "false"))
    with Lab.up(before, lab_name) as lab, session(lab, "server", "10.0.2.21", 45000, 45001) as ftp:
        ftp.announce(45000)
        assert connects(lab, "10.0.2.21", 45000)
        lab.enforce(after)
        ftp.announce(45001)
        assert connects(lab, "10.0.2.21", 45001)
