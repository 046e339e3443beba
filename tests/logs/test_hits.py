"""Hits: read from the kernel as nft tells them, and kept when a switch of the policy makes the kernel forget."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from ringfence.analysis.records.hits import rule_hits
from ringfence.backends.nftables.driver import Driver
from ringfence.backends.nftables.hits import Counted, Hits, Tally, replaced
from ringfence.backends.nftables.library import Nft
from ringfence.backends.nftables.readback import Counter, read_table
from ringfence.errors import KernelRefused
from ringfence.model.rule import Rule
from tests.logs.worlds import world
from tests.nftables.kernel import TABLE, Kernel
from tests.nftables.plans import plan_of

RULES = """
table inet ringfence {
    map layer {
        type ipv4_addr . inet_service : verdict
        flags interval
        counter
        elements = { 10.0.0.0/24 . 80-443 counter packets 5 bytes 500 comment "r1" : accept,
                     10.1.0.0/24 . 22 counter packets 7 bytes 700 comment "r2" : drop }
    }
    map links {
        type ifname : verdict
        elements = { "eth0" comment "outside" : accept }
    }
    chain one {
        ip saddr . th dport vmap @layer
        meta l4proto udp counter packets 10 bytes 1000 accept comment "r1 00112233"
        meta l4proto tcp counter packets 2 bytes 222 drop comment "default-ingress 44556677"
        counter packets 99 bytes 99 comment "- 8899aabb"
        accept comment "r9 01234567"
    }
    chain two {
        meta l4proto tcp limit rate over 1/second counter packets 4 bytes 40 drop comment "r2 89abcdef"
        counter packets 88 bytes 88 accept
    }
}
table inet other {
    chain one {
        counter packets 1000 bytes 1000 accept comment "r1 00112233"
    }
}
"""


@pytest.mark.packets
def test_counters_are_read_as_nft_tells_them(kernel: Kernel) -> None:
    kernel.nft("-f", "-", text=RULES)
    with closing(Hits(kernel.name, TABLE)) as hits, closing(Nft(kernel.name)) as nft:
        table = read_table(nft, TABLE)
        assert table
        assert hits.read() == {key: count for key, count in table.counters.items() if key not in ("-", "")}
        assert hits.read()["r1"] == Counter(15, 1500)
        assert hits.of_chain("two") == Counter(92, 128)
        assert hits.of_chain("none such") == Counter(0, 0)
    with closing(Hits(kernel.name, "none such")) as none:
        assert none.read() == {}


@pytest.mark.parametrize(
    ("commands", "going"),
    [
        (["add rule inet t c ip saddr 10.0.0.1 drop", "add map inet t m { type mark : verdict; }"], Counted()),
        (["add element inet t flush { delete chain inet t c }", "delete element inet t links { eth0 }"], Counted()),
        (["flush chain inet t one", "delete chain inet t two"], Counted(frozenset({"one", "two"}))),
        (["delete map inet t m", "delete set inet t s"], Counted(frozenset(), frozenset({"m"}))),
        (["delete table inet t", "add table inet t"], Counted(everything=True)),
    ],
)
def test_what_a_transaction_forgets(commands: list[str], going: Counted) -> None:
    assert replaced(commands) == going


@pytest.mark.packets
def test_what_is_replaced_is_kept_and_what_stays_is_not_counted_twice(kernel: Kernel, tmp_path: Path) -> None:
    kernel.nft("-f", "-", text=RULES)
    with closing(Hits(kernel.name, TABLE, Tally(tmp_path / "hits" / "vpc"))) as hits:
        before = {key: count for key, count in hits.read().items() if count.packets}
        for commands in (["flush chain inet {} two"], ["flush chain inet {} one", "delete map inet {} layer"]):
            text = [command.format(TABLE) for command in commands]
            with hits.across(text):
                kernel.nft("-f", "-", text="\n".join(text))
            assert hits.read() == before
        kernel.nft("add", "rule", "inet", TABLE, "one", "counter packets 1 bytes 10", "comment", '"r1 fedcba98"')
        assert hits.read()["r1"] == Counter(16, 1510)


@pytest.mark.packets
def test_a_switch_that_fails_keeps_nothing(kernel: Kernel) -> None:
    kernel.nft("-f", "-", text=RULES)
    with closing(Hits(kernel.name, TABLE)) as hits, closing(Nft(kernel.name)) as nft:
        before = hits.read()
        commands = [f"flush chain inet {TABLE} one", "delete map inet ringfence nowhere"]
        with pytest.raises(KernelRefused), hits.across(commands):
            nft.run("\n".join(commands))
        assert hits.read() == before


@pytest.mark.packets
def test_hits_outlive_a_policy_in_another_process_too(kernel: Kernel, tmp_path: Path) -> None:
    """Elements and rules of the old policy have counted; the new one has none of them, and the third has them again."""
    mine = Rule.parse("in allow tcp 80,443 from any").id_in("web")
    rest = "default-ingress"
    tally = Tally(tmp_path / "hits" / "vpc")
    with closing(Driver(kernel.name, TABLE, tally)) as driver:
        driver.apply(plan_of())
        counted = count_by_hand(kernel, mine, 7) + count_by_hand(kernel, rest, 5)
        assert counted == 2
        before = driver.counters()
        driver.apply(plan_of(web="in allow tcp 1 from any; in allow tcp 2 from any"))
        after = driver.counters()
        assert (after[mine], after[rest]) == (before[mine], before[rest]) == (Counter(7, 700), Counter(5, 500))
        driver.apply(plan_of())
        count_by_hand(kernel, mine, 100)
    with closing(Hits(kernel.name, TABLE, Tally(tmp_path / "hits" / "vpc"))) as other:
        assert other.read()[mine] == Counter(107, 10700)


def count_by_hand(kernel: Kernel, rule_id: str, packets: int) -> int:
    """Have one rule of an id count, in a chain that is none of the policy's: it is found by its comment."""
    chain = f"counted-{packets}"
    kernel.nft("add", "chain", "inet", TABLE, chain)
    count = f"counter packets {packets} bytes {packets * 100}"
    kernel.nft("add", "rule", "inet", TABLE, chain, count, "comment", f'"{rule_id} 00000000"')
    return 1


@pytest.mark.packets
def test_who_reads_during_a_switch_sees_each_packet_once(kernel: Kernel, tmp_path: Path) -> None:
    """What was counted is in the kernel or in the tally, and a reader never finds it in both or in neither."""
    file, plans = tmp_path / "hits" / "vpc", (plan_of(), plan_of(web="in allow tcp 1 from any"))
    writer = os.fork()
    if not writer:
        try:
            with closing(Driver(kernel.name, TABLE, Tally(file))) as driver:
                for number in range(30):
                    driver.apply(plans[number % 2])  # forgets the chain of the last turn
                    kernel.nft("-f", "-", text=counting(number))
            os._exit(0)
        finally:
            os._exit(1)
    seen = [0]
    with closing(Hits(kernel.name, TABLE, Tally(file))) as hits:
        while os.waitpid(writer, os.WNOHANG) == (0, 0):
            seen.append(hits.read().get("r", Counter(0, 0)).packets)
        seen.append(hits.read()["r"].packets)
    assert seen == sorted(seen)
    assert seen[-1] == 30 * 1000
    assert len(set(seen)) > 3
    assert all(packets % 1000 == 0 for packets in seen)


def counting(number: int) -> str:
    """A chain that is none of the policy's and has counted a thousand packets for rule ``r``."""
    chain = f"inet {TABLE} turn-{number}"
    return f'add chain {chain}\nadd rule {chain} counter packets 1000 bytes 1000 comment "r 00000000"'


def test_a_tally_adds_up_and_passes_over_what_a_crash_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "hits" / "vpc"
    one, two = Tally(file), Tally(file)
    for tally in (one, two, one):
        with tally.held(exclusive=True):
            tally.add({"r1": Counter(1, 10), "r2": Counter(0, 0)})
    file.write_bytes(file.read_bytes() + b'\n{"r1": [5, 5')
    with two.held(exclusive=True):
        two.add({"r2": Counter(2, 2)})
    assert one.counts() == two.counts() == {"r1": Counter(3, 30), "r2": Counter(2, 2)}


def test_a_tally_does_not_grow_without_end(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "hits" / "vpc")
    many = {f"sgr-{number:012}": Counter(1, 60) for number in range(2000)}
    for _ in range(40):
        with tally.held(exclusive=True):
            tally.add(many)
    assert (tmp_path / "hits" / "vpc").stat().st_size < 2 << 20
    assert set(tally.counts().values()) == {Counter(40, 2400)}


def test_processes_that_add_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "hits" / "vpc"
    children = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            try:
                for _ in range(50):
                    tally = Tally(file)
                    with tally.held(exclusive=True):
                        tally.add({"r": Counter(1, 1)})
                os._exit(0)
            finally:
                os._exit(1)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 4
    assert Tally(file).counts() == {"r": Counter(200, 200)}


def test_every_rule_is_told_also_one_that_nothing_has_matched() -> None:
    of = world()
    http = Rule.parse("in allow tcp 80 from any").id_in("sg-web")
    counted: list[dict[str, Counter]] = [
        {http: Counter(2, 20), "default-ingress": Counter(1, 1)},
        {http: Counter(3, 30), "gone": Counter(9, 9)},
    ]
    rows = {row.rule_id: row for row in rule_hits(of, counted)}
    written = sum(len(group.rules) for group in of.groups.values()) + len(of.acls["edge"].rules)
    assert len(rows) == written + 2
    assert (rows[http].owner, rows[http].packets, rows[http].bytes) == ("sg-web", 5, 50)
    assert rows["gone"].text == "no longer in the policy"
    assert rows["default-ingress"].text == "no rule matched, and ingress is denied by default"
    assert sum(row.packets for row in rows.values()) == 15
