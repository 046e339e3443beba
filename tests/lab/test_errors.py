"""ICMP errors about a connection: they pass from its two ends, and from nobody who only knows of it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from ringfence import worldfile
from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from ringfence.lab.packets import packed
from ringfence.model.address import Address

pytestmark = pytest.mark.packets

WORLD = """
vpcs: {v: {cidrs: [10.0.0.0/16], subnets: {s: 10.0.1.0/24}}}
groups:
  open: [in allow udp 5000-5001 from any, out allow udp 5000-5001 to any]
  shut: []
instances:
  asker: {subnet: s, ip: 10.0.1.5, groups: [open]}
  asked: {subnet: s, ip: 10.0.1.6, groups: [open]}
  knower: {subnet: s, ip: 10.0.1.7, groups: [shut]}
outside: {far: 203.0.113.9, stranger: 203.0.113.10}
"""
ASKER = "10.0.1.5"


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(worldfile.parse(WORLD, "errors"), lab_names()) as lab:
        yield lab


def ask(lab: Lab, address: str, port: int) -> socket.socket:
    """A datagram sent from the asker; its socket says "refused" once an error about it has come back."""
    with inside(lab.namespace("asker")):
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.bind((ASKER, 0))
    asking.connect((address, port))
    asking.settimeout(0.3)
    asking.send(b"?")
    return asking


def is_refused(asking: socket.socket) -> bool:
    with asking:
        try:
            asking.recv(100)
        except ConnectionRefusedError:
            return True
        except TimeoutError:
            return False
    raise AssertionError("nobody was to answer")


def forge(lab: Lab, sender: str, asking: socket.socket) -> None:
    """Send the asker "port unreachable" about its datagram."""
    (address, port), number = asking.getpeername(), asking.getsockname()[1]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 29, 0, 0, 63, socket.IPPROTO_UDP, 0)
    quoted = header + packed(Address.parse(ASKER)) + packed(Address.parse(address))
    quoted = quoted[:10] + _checksum(quoted) + quoted[12:] + struct.pack("!HHHH", number, port, 9, 0)
    error = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
    with inside(lab.namespace(sender)):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    with raw:
        raw.sendto(error[:2] + _checksum(error) + error[4:], (ASKER, 0))


def _checksum(data: bytes) -> bytes:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return (~(total + (total >> 16)) & 0xFFFF).to_bytes(2)


@pytest.mark.parametrize("address", ["10.0.1.6", "203.0.113.9"])
def test_an_end_of_a_connection_may_send_an_error_about_it(lab: Lab, address: str) -> None:
    assert is_refused(ask(lab, address, 5001))  # nobody listens there


@pytest.mark.parametrize(
    ("target", "sender", "passes"),
    [
        ("asked", "asked", True),
        ("asked", "knower", False),
        ("asked", "far", False),
        ("far", "far", True),
        ("far", "stranger", True),  # a router on the way is no end either, and who is one out there cannot be told
        ("far", "knower", False),
        ("far", "asked", False),
    ],
)
def test_who_only_knows_of_a_connection_may_not(lab: Lab, target: str, sender: str, passes: bool) -> None:
    address = {"asked": "10.0.1.6", "far": "203.0.113.9"}[target]
    with inside(lab.namespace(target)):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with silent:
        silent.bind((address, 5000))
        asking = ask(lab, address, 5000)
        forge(lab, sender, asking)
        assert is_refused(asking) is passes
