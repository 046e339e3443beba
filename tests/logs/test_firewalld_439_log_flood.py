"""firewalld#439: a log of what is denied, without a limit, let anybody fill disk and processor by sending nonsense.

Here a flood leaves a bounded number of records and a count of the rest that is right to the packet, and what is allowed
passes meanwhile as if nothing was.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringfence.analysis.records.drops import DropRecord
from ringfence.backends.netns import inside
from ringfence.backends.nftables.droplog import BURST, RATE
from ringfence.lab.drops import drops_file
from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from tests.lab.worlds import world
from tests.logs.recording import dropped, told
from tests.peers import flood, frames
from tests.peers.wire import address, close_senders, nic

pytestmark = pytest.mark.packets
SECONDS, ENOUGH = 2.0, 100


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(), lab_names()) as made:
        yield made
        close_senders()


@pytest.mark.parametrize("family", Family)
def test_a_flood_fills_no_log_and_stops_nothing(lab: Lab, family: Family) -> None:
    before = lab.driver("shop").counters()["default-ingress"].packets
    with told(lab) as heard:
        size = drops_file(lab.names).stat().st_size if drops_file(lab.names).exists() else 0
        started = time.monotonic()
        with flooding(lab, family) as process:
            asked, answered = exchanges(lab, family)
            process.send_signal(signal.SIGTERM)
            sent = int(process.communicate()[0])
        took = time.monotonic() - started
        lines = heard.until(lambda found: dropped(found) >= sent)
        written = drops_file(lab.names).stat().st_size - size
    counted = lab.driver("shop").counters()["default-ingress"].packets - before
    records = [line for line in lines if isinstance(line, DropRecord)]
    assert sent > 1000 * SECONDS
    assert answered == asked  # not one of what is allowed was lost
    assert RATE * SECONDS / 2 < len(records) <= BURST + RATE * (took + 1)
    assert dropped(lines) == counted == sent  # each is told, or counted as not told
    assert written < 1000 * len(lines)
    assert {(it.rule_id, it.port, it.packet.port) for it in records} == {("default-ingress", "db-1.eth0", 9)}


def flooding(lab: Lab, family: Family) -> subprocess.Popen[str]:
    """A process that sends datagrams which nobody allows, as fast as it can."""
    card = nic(lab, "laptop")
    packet = frames.udp(address(lab, "laptop", family), address(lab, "db-1", family), 9, 9, b"flood")
    frame = frames.frame(card.outer_mac, card.mac, frames.ethertype_of(packet), packet)
    with inside(card.namespace):
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(flood.__file__)), card.link, "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    assert process.stdin
    assert process.stdout
    process.stdin.write(frame.hex())
    process.stdin.close()
    process.stdin = None
    assert process.stdout.readline() == "go\n"
    return process


def exchanges(lab: Lab, family: Family) -> tuple[int, int]:
    """Ask what is allowed to be asked, a question at a time; how many questions there were, and how many answers.

    On a busy machine it takes longer, so that they are enough to say something.
    """
    asked = answered = 0
    end = time.monotonic() + SECONDS
    with inside(lab.namespace("web-1")):
        client = socket.socket(socket.AF_INET if family is Family.IPV4 else socket.AF_INET6, socket.SOCK_DGRAM)
    with client:
        client.settimeout(2)
        client.connect((str(address(lab, "db-1", family)), 53))
        while time.monotonic() < end or asked < ENOUGH:
            asked += 1
            client.send(b"%d" % asked)
            answered += client.recv(100) == b"%d" % asked
            time.sleep(0.005)
    return asked, answered
