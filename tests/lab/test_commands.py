"""The classic network, guests of several ports and the commands that change a lab, as a user meets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringfence.lab.lab import Lab
from tests.cli.test_model_commands import ringfence
from tests.lab.worlds import world

pytestmark = pytest.mark.packets

CLASSIC = """
profile: alibaba
vpcs:
  old:
    network: classic
    cidrs: [10.0.0.0/8, 203.0.113.0/26, "fd00::/48", "2001:db8:5::/48"]
    subnets:
      inner: {cidr: 10.1.0.0/16, cidr6: "fd00:0:0:1::/64"}
      inner-2: {cidr: 10.2.0.0/16, cidr6: "fd00:0:0:2::/64"}
      outer: {cidr: 203.0.113.0/27, cidr6: "2001:db8:5:1::/64", nic: internet}
groups:
  web: {vpc: old, rules: [in allow tcp 80 from 0.0.0.0/0, in allow tcp 80 from "::/0", in allow tcp 22 from group ops]}
  ops: {vpc: old, rules: [in allow icmp from 0.0.0.0/0 nic intranet]}
instances:
  one:
    ports:
      eth0: {subnet: inner, ip: 10.1.0.5, ip6: "fd00:0:0:1::5", groups: web}
      eth1: {subnet: outer, ip: 203.0.113.5, ip6: "2001:db8:5:1::5", groups: web}
  two: {subnet: inner-2, ip: 10.2.0.6, ip6: "fd00:0:0:2::6", groups: ops}
outside: {laptop: [198.51.100.9, "2001:db8:9::9"]}
expect:
  - laptop -> one.eth1 tcp/80 allow
  - laptop -> one.eth1 tcp/80 over ipv6 allow
  - two -> one.eth0 tcp/80 deny
  - two -> one tcp/22 allow
  - two -> one tcp/22 over ipv6 allow
  - laptop -> one.eth1 tcp/22 deny
  - one -> two icmp allow
""".replace('from "::/0"', "from ::/0")


@pytest.fixture(scope="module")
def classic(lab_names: Callable[[], str]) -> Iterator[Lab]:
    with Lab.up(world(CLASSIC), lab_names()) as lab:
        yield lab


def test_the_classic_network(classic: Lab) -> None:
    assert [str(row.expectation) for row in classic.check_expectations() if not row.ok] == []
    report = classic.verify()
    assert report.ok, [str(it.verdict) for it in report.differences] + [*map(str, report.unproved)]


@pytest.mark.parametrize(
    ("destination", "device"),
    [
        *(("10.2.0.6", "eth0"), ("fd00:0:0:2::6", "eth0"), ("198.51.100.9", "eth1"), ("2001:db8:9::9", "eth1")),
        *(("10.1.0.77", "eth0"), ("203.0.113.6", "eth1")),
    ],
)
def test_programs_leave_by_the_interface_that_leads_there(classic: Lab, destination: str, device: str) -> None:
    assert classic.exec("one", ["sh", "-c", f"ip route get {destination} | grep -q 'dev {device} '"]) == 0


VIP = """
vpcs: {v: {cidrs: [10.0.0.0/16], subnets: {s: 10.0.1.0/24}}}
groups: {open: [in allow all from any, out allow all to any]}
instances:
  one: {subnet: s, ip: 10.0.1.11, groups: open}
  two: {subnet: s, ip: 10.0.1.12, groups: open}
virtual_ips: {vip: {subnet: s, ip: 10.0.1.100, ports: [one, two]}}
"""


def test_a_lab_is_changed_and_a_virtual_ip_moved(lab_name: str, tmp_path: Path) -> None:
    lab = ("--lab", lab_name)
    before, after, broken = (tmp_path / name for name in ("before.yaml", "after.yaml", "broken.yaml"))
    before.write_text(VIP)
    after.write_text(VIP.replace("one:", "one-b:").replace("[one,", "[one-b,").replace("all from", "tcp 80 from"))
    broken.write_text(VIP.replace("[one,", "[three,"))
    assert f"run: ringfence up FILE --lab {lab_name}" in ringfence("apply", str(after), *lab).stderr
    assert ringfence("up", str(before), *lab).returncode == 0
    told = ringfence("apply", str(after), "--dry-run", *lab)
    assert told.returncode == 0, told.stderr
    wiring, count = told.stdout.partition("\n\nwho reaches whom:")[0].splitlines(), told.stdout.splitlines()[-1]
    assert sorted(wiring) == ["plug port one-b.eth0", "plug virtual IP vip anew", "unplug port one.eth0"]
    assert count.startswith(f"lab {lab_name!r} would take ")
    assert ringfence("apply", str(after), "--dry-run", *lab).stdout == told.stdout  # nothing was done
    done = ringfence("apply", str(after), *lab)
    assert done.stdout.splitlines()[:-1] == wiring
    assert ringfence("apply", str(after), *lab).stdout == f"lab {lab_name!r} took 0 nft commands\n"
    assert ringfence("apply", str(broken), *lab).returncode == 2
    assert ringfence("vip", "move", "vip", "two", *lab).stdout == "vip is at two.eth0\n"
    assert "at two.eth0" not in ringfence("vip", "move", "vip", "one", *lab).stdout
    unknown = ringfence("vip", "move", "vap", "two", *lab)
    assert unknown.returncode == 2
    assert "there is no virtual IP 'vap'; did you mean 'vip'?" in unknown.stderr
    probed = ringfence("why", "one-b", "vip", "tcp/80", "--probe", *lab)
    assert "into two.eth0" in probed.stdout
    assert "they agree" in probed.stdout
    assert ringfence("exec", *lab, "two", "--", "sh", "-c", "ip addr | grep -q 10.0.1.100").returncode == 0
