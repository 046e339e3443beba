"""Changing what a lab is wired of while it is up: model and packets agree before and after, and nothing else moves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ringfence.backends.netns import inside
from ringfence.backends.nftables.names import peer_link, port_link
from ringfence.errors import KernelRefused, LabMissing
from ringfence.lab.lab import Lab, down
from ringfence.lab.netns import named
from ringfence.lab.outcome import Report
from ringfence.model.address import Family
from ringfence.model.world import World
from tests.lab.worlds import ip, remains, world

pytestmark = pytest.mark.packets
families = pytest.mark.parametrize("family", list(Family), ids=str)

BASE = """
switches: {on_change: keep}
vpcs:
  a: {cidrs: [10.1.0.0/16, "fd00:1::/56"], subnets: {sa: {cidr: 10.1.1.0/24, cidr6: "fd00:1:0:1::/64"}}}
  b: {cidrs: [10.2.0.0/16, "fd00:2::/56"], subnets: {sb: {cidr: 10.2.1.0/24, cidr6: "fd00:2:0:1::/64"}}}
groups:
  open: [in allow all from any, out allow all to any]
  half: [in allow udp 53 from any, out allow all to any]
instances:
  x: {subnet: sa, ip: 10.1.1.11, ip6: "fd00:1:0:1::11", groups: open, serve: [tcp/80, udp/53]}
  y: {subnet: sa, ip: 10.1.1.12, ip6: "fd00:1:0:1::12", groups: half}
  z: {subnet: sb, ip: 10.2.1.13, ip6: "fd00:2:0:1::13", groups: open}
"""
X = """  x: {subnet: sa, ip: 10.1.1.11, ip6: "fd00:1:0:1::11", groups: open, serve: [tcp/80, udp/53]}"""
Y = """  y: {subnet: sa, ip: 10.1.1.12, ip6: "fd00:1:0:1::12", groups: half}"""
Z = """  z: {subnet: sb, ip: 10.2.1.13, ip6: "fd00:2:0:1::13", groups: open}"""
W = "  w: {subnet: sb, ip: 10.2.1.14, groups: half, serve: [udp/53]}\n"
B = """  b: {cidrs: [10.2.0.0/16, "fd00:2::/56"], subnets: {sb: {cidr: 10.2.1.0/24, cidr6: "fd00:2:0:1::/64"}}}\n"""
Y_PORTS = """  y:
    ports:
      eth0: {subnet: sa, ip: 10.1.1.12, ip6: "fd00:1:0:1::12", groups: half}
      eth1: {subnet: %s, ip: %s, groups: open%s}"""
PEERING = "peerings: [{vpcs: [a, b], firewall: [deny udp 53 from 10.1.1.11/32 to any]}]\n"
VIP = 'virtual_ips: {vip: {subnet: sa, ip: 10.1.1.100, ip6: "fd00:1:0:1::100", ports: [%s], active: %s}}\n'
OUTSIDE = 'outside: {laptop: [203.0.113.9, "2001:db8::9"]}\n'


def turned(*pairs: tuple[str, str], more: str = "") -> str:
    text = BASE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text + more


EDITS = {
    "an instance": (
        turned(more="  w: {subnet: sb, ip: 10.2.1.14, groups: half, serve: [udp/53]}\n"),
        ["plug port w.eth0"],
    ),
    "no instance": (turned((Z + "\n", "")), ["unplug port z.eth0"]),
    "a port": (turned((Y, Y_PORTS % ("sa", "10.1.1.22", ""))), ["plug port y.eth1"]),
    "a port elsewhere": (turned((Y, Y_PORTS % ("sb", "10.2.1.22", ""))), ["plug port y.eth1"]),
    "a port in a namespace": (turned((Y, Y_PORTS % ("sa", "10.1.1.22", ", namespace: n"))), ["plug port y.eth1"]),
    "another namespace": (turned(("groups: half}", "groups: half, namespace: n}")), ["plug port y.eth0 anew"]),
    "another address": (turned(("10.1.1.12,", "10.1.1.32,")), ["plug port y.eth0 anew"]),
    "an exchange": (
        turned(("10.1.1.12,", "10.1.1.11,"), ('10.1.1.11, ip6: "fd00:1:0:1::11', '10.1.1.12, ip6: "fd00:1:0:1::11')),
        ["plug port x.eth0 anew", "plug port y.eth0 anew"],
    ),
    "another server": (turned(("serve: [tcp/80, udp/53]", "serve: [tcp/81, tcp/82@10.1.1.11]")), []),
    "another group": (turned((Y, Y.replace("half", "open"))), []),
    "a peering": (turned(more=PEERING), ["plug peering a-b"]),
    "a virtual IP": (turned(more=VIP % ("x, y", "y")), ["plug virtual IP vip"]),
    "a host outside": (turned(more=OUTSIDE), ["plug host laptop"]),
    "a VPC": (
        turned(
            ("groups:\n", "  c: {cidrs: [10.3.0.0/16, 10.1.7.0/24], subnets: {sc: 10.3.1.0/24}}\ngroups:\n"),
            more="  v: {subnet: sc, ip: 10.3.1.5, groups: open}\npeerings: [{vpcs: [c, b]}]\n",
        ),
        ["plug VPC c", "plug peering b-c", "plug port v.eth0"],
    ),
    "no VPC": (
        turned((BASE[BASE.index("  b: {") : BASE.index("groups:")], ""), (Z, "")),
        ["unplug VPC b", "unplug port z.eth0"],
    ),
    "another prefix": (turned(("cidr: 10.2.1.0/24", "cidr: 10.2.0.0/23")), ["plug port z.eth0 anew"]),
    "another space": (turned(("[10.2.0.0/16", "[10.2.0.0/15")), []),
}


@pytest.fixture(scope="module")
def lab(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(BASE), lab_names()) as lab:
        yield lab


def agrees(lab: Lab) -> Report:
    report = lab.verify()
    assert report.ok, [(str(it.flow), it.observation) for it in report.differences] + [*map(str, report.unproved)]
    return report


def back(told: list[str]) -> list[str]:
    """What undoes it."""
    turned = {"plug": "unplug", "unplug": "plug"}
    return sorted(it if it.endswith("anew") else " ".join([turned[it.split()[0]], *it.split()[1:]]) for it in told)


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_and_its_undoing(lab: Lab, what: str) -> None:
    text, told = EDITS[what]
    before = (named(lab.names.prefix), listening(lab))
    assert sorted(lab.rewiring(world(text)).told()) == sorted(told)
    lab.enforce(world(text))
    assert lab.world == Lab.attach(lab.names.lab).world == world(text)
    assert agrees(lab).count > 20
    assert lab.enforce(world(text)) == 0
    assert lab.rewiring(world(text)).told() == []
    assert sorted(lab.rewiring(world(BASE)).told()) == back(told)
    lab.enforce(world(BASE))
    agrees(lab)
    assert (named(lab.names.prefix), listening(lab)) == before


def listening(lab: Lab) -> set[tuple[str, str, bytes]]:
    """The servers of the lab: namespace, process and arguments."""
    homes = {os.stat(f"/run/netns/{name}").st_ino: name for name in named(lab.names.prefix)}
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            home = homes.get(os.stat(f"/proc/{pid}/ns/net").st_ino)
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:  # it ended while we looked
            continue
        if home and b"listener.py" in words:
            found.add((home, "" if home.endswith("-x") else pid, words))
    return found


@contextmanager
def stream(lab: Lab, family: Family) -> Iterator[Callable[[], None]]:
    """A TCP connection from y to x; gives what checks that it lives."""
    kind, address = (socket.AF_INET, "10.1.1.11") if family is Family.IPV4 else (socket.AF_INET6, "fd00:1:0:1::11")
    with inside(lab.namespace("x")):
        server = socket.create_server((address, 0), family=kind)
    with inside(lab.namespace("y")):
        client = socket.socket(kind)
    with server, client:
        client.settimeout(2)
        client.connect(server.getsockname()[:2])
        other, _ = server.accept()
        other.settimeout(2)

        def lives() -> None:
            client.send(b"to and")
            other.send(other.recv(10) + b" fro")
            assert client.recv(20) == b"to and fro"

        with other:
            yield lives


def links(namespace: str) -> dict[str, int]:
    with inside(namespace):
        return {name: index for index, name in socket.if_nameindex()}


@families
def test_what_is_the_same_is_not_touched(lab: Lab, family: Family) -> None:
    router = lab.names.vpc("a")
    before = links(router)
    with stream(lab, family) as lives:
        for text, told in EDITS.values():
            if not any("x.eth0" in it or "y.eth0" in it for it in told):
                for each in (text, BASE):
                    lab.enforce(world(each))
                    lives()
                    assert before.items() <= links(router).items()


def test_no_link_is_up_without_the_policy_that_judges_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """PEERS-BUGS 10. What comes is not there yet when the policy switches, and what goes is not there any more."""
    text = turned((Z, Z.replace("  z:", "  w:")), more=PEERING)
    come, gone = {port_link("w.eth0"), peer_link("a")}, port_link("z.eth0")
    seen: list[set[str]] = []
    enforce = Lab._enforce

    def looking(self: Lab, after: World) -> int:
        seen.append({*links(lab.names.vpc("b"))})
        try:
            return enforce(self, after)
        finally:
            seen.append({*links(lab.names.vpc("b"))})

    monkeypatch.setattr(Lab, "_enforce", looking)
    lab.enforce(world(text))
    for moment in seen:
        assert moment.isdisjoint({*come, gone})
    assert come < {*links(lab.names.vpc("b"))}
    monkeypatch.undo()
    lab.enforce(world(BASE))
    assert gone in links(lab.names.vpc("b"))


def test_a_policy_that_the_kernel_refuses_leaves_everything_as_it_was(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (named(lab.names.prefix), listening(lab))

    def refuse(_lab: Lab, _after: World) -> int:
        raise KernelRefused("not today")

    for text, _ in EDITS.values():
        monkeypatch.setattr(Lab, "_enforce", refuse)
        with pytest.raises(KernelRefused):
            lab.enforce(world(text))
        monkeypatch.undo()
        assert lab.world == Lab.attach(lab.names.lab).world == world(BASE)
        assert lab.enforce(world(BASE)) == 0
    assert (named(lab.names.prefix), listening(lab)) == before
    agrees(lab)


@families
def test_a_connection_is_not_inherited_with_an_address(lab: Lab, family: Family) -> None:
    """Two ports change their addresses: what one was allowed to go on with is judged anew at the other."""
    text, _ = EDITS["an exchange"]
    kind, address = (socket.AF_INET, "10.1.1.11") if family is Family.IPV4 else (socket.AF_INET6, "fd00:1:0:1::11")
    if family is Family.IPV6:
        text = turned(('"fd00:1:0:1::11"', '"fd00:1:0:1::99"'), ('"fd00:1:0:1::12"', '"fd00:1:0:1::11"'))
    with inside(lab.namespace("z")):
        client = socket.socket(kind, socket.SOCK_DGRAM)
    with client:
        client.settimeout(0.3)
        for to_come, heard in (
            (BASE + "peerings: [{vpcs: [a, b]}]\n", True),
            (text + "peerings: [{vpcs: [a, b]}]\n", False),
        ):
            lab.enforce(world(to_come))
            with inside(lab.namespace("x" if heard else "y")):
                server = socket.socket(kind, socket.SOCK_DGRAM)
            with server:
                server.settimeout(2 if heard else 0.3)
                server.bind((address, 7000))
                client.sendto(b"mine?", (address, 7000))
                if heard:
                    assert server.recv(10) == b"mine?"
                else:
                    with pytest.raises(TimeoutError):
                        server.recv(10)
    lab.enforce(world(BASE))


_APPLY = """
import sys
from ringfence.lab.lab import Lab
from tests.lab.worlds import world
lab, ready = Lab.attach(sys.argv[1]), world(sys.argv[2])
print("go", flush=True)
lab.enforce(ready)
"""


@pytest.mark.parametrize("delay", [number * 0.04 for number in range(8)])
def test_a_kill_at_any_moment_is_made_good_by_the_next_change(lab_name: str, delay: float) -> None:
    replug = (Y, Y_PORTS % ("sb", "10.2.1.22", ", namespace: n")), (Z, W), ("tcp/80, udp/53", "tcp/81")
    text = turned(*replug, more=PEERING + VIP % ("x, y", "y"))
    Lab.up(world(BASE), lab_name).close()
    command = [sys.executable, "-c", _APPLY, lab_name, text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "go\n"
        time.sleep(delay)
        process.kill()
    lab = Lab.attach(lab_name)
    for each in (text, BASE):
        lab.enforce(world(each))
        agrees(lab)
    lab.down()
    assert remains(lab_name) == []


def test_a_lab_that_is_gone_is_not_changed(lab_name: str) -> None:
    lab = Lab.up(world(BASE), lab_name)
    down(lab_name)
    with pytest.raises(LabMissing):
        lab.enforce(world(turned(more=PEERING)))
    lab.close()
    assert remains(lab_name) == []


def test_a_change_by_another_process_is_taken_in(lab: Lab) -> None:
    with_host = turned(more=OUTSIDE)
    other = Lab.attach(lab.names.lab)
    other.enforce(world(with_host))
    other.close()
    lab.enforce(world(with_host.replace("laptop", "phone")))
    assert lab.names.outside("laptop") not in named(lab.names.prefix)
    agrees(lab)
    lab.enforce(world(BASE))


def test_what_a_user_took_away_in_a_guest_is_no_obstacle(lab: Lab) -> None:
    lab.enforce(world(turned((Y, Y_PORTS % ("sa", "10.1.1.22", "")))))
    for words in (
        ("rule", "del", "from", "10.1.1.22"),
        ("route", "flush", "table", "main"),
        ("addr", "flush", "dev", "eth1"),
    ):
        ip("-n", lab.namespace("y"), *words)
    lab.enforce(world(BASE))
    lab.enforce(world(turned(("10.1.1.12,", "10.1.1.32,"))))
    agrees(lab)
    lab.enforce(world(BASE))


def test_wiring_of_odd_spaces_shadows_no_peer(lab_name: str) -> None:
    """VPCs that nobody reaches use parts of a peer's space, of one's own, and what is around them."""
    text = """
vpcs:
  a: {cidrs: [10.1.0.0/16], subnets: {sa: 10.1.1.0/24}}
  b: {cidrs: [10.2.0.0/16, "fd00:2::/56"], subnets: {sb: 10.2.1.0/24}}
  part: {cidrs: [10.2.1.0/24, 10.1.1.8/29], subnets: {sp: 10.2.1.0/24}}
  around: {cidrs: [10.0.0.0/12, 172.16.0.0/16], subnets: {sr: 10.2.1.0/24}}
peerings: [{vpcs: [a, b]}]
groups: {open: [in allow all from any, out allow all to any]}
instances:
  x: {subnet: sa, ip: 10.1.1.11, groups: open}
  z: {subnet: sb, ip: 10.2.1.13, groups: open}
  p: {subnet: sp, ip: 10.2.1.13, groups: open}
  r: {subnet: sr, ip: 10.2.1.13, groups: open}
expect:
  - x -> z tcp/80 allow
  - z -> x tcp/80 allow
  - x -> p tcp/80 deny
  - p -> x tcp/80 deny
  - r -> x tcp/80 deny
  - x -> 172.16.0.5 tcp/80 deny
  - x -> 192.0.2.1 tcp/80 allow
"""
    with Lab.up(world(text), lab_name) as lab:
        assert [str(row.expectation) for row in lab.check_expectations() if not row.ok] == []
        agrees(lab)
