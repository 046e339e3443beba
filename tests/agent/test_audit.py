"""Drift is told in words and mended, and what others have in the kernel stays as it is to the byte."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from ringfence.agent.audit import audit, repair, told
from ringfence.agent.enforcer import Enforcer
from ringfence.agent.namespaces import Namespaces
from ringfence.backends.nftables.names import port_link
from ringfence.backends.nftables.ruleset import Ruleset, difference
from ringfence.lab.netns import set_sysctls
from tests.agent import places
from tests.agent.places import FOREIGN, TABLE, bare, edits_between, enforcing
from tests.agent.test_enforcer import audited, two

pytestmark = pytest.mark.packets

THEIRS = ("inet theirs", "ip ringfence-too", "netdev ringfence")


def _nft(text: str) -> Callable[[str], None]:
    return lambda namespace: (places.nft(namespace, "-f", "-", text=text), None)[1]


def _anew(namespace: str) -> None:
    for word in ("del", "add"):
        subprocess.run(["ip", "netns", word, namespace], check=True)


DRIFTS: dict[str, tuple[Callable[[str], None], str]] = {
    "a chain": (_nft(f"insert rule inet {TABLE} forward accept"), "chain that says something else: forward"),
    "an element": (
        _nft(f'delete element inet {TABLE} links {{ "{port_link("x.eth0")}" }}'),
        "elements missing in: links",
    ),
    "another element": (_nft(f'add element inet {TABLE} links {{ "eth9" : 1 }}'), "elements too many in: links"),
    "the table": (_nft(f"delete table inet {TABLE}"), "chain missing: "),
    "a set": (_nft(f"add set inet {TABLE} mine {{ type mark; }}"), "set too many: mine"),
    "the way": (
        lambda namespace: set_sysctls(namespace, {"net/ipv4/ip_forward": 0}),
        "net/ipv4/ip_forward is 0, not 1",
    ),
    "the namespace": (_anew, "chain missing: "),
}


@pytest.mark.parametrize("what", DRIFTS)
def test_drift_is_told_and_mended(what: str) -> None:
    meddle, words = DRIFTS[what]
    of = two(80)
    with bare("a", "b") as prefix, enforcing(Namespaces(prefix)) as enforcer:
        enforcer.enforce(of)
        assert audit(enforcer) == repair(enforcer) == []
        meddle(prefix + "a")
        (drift,) = audit(enforcer)
        assert (drift.vpc, drift.repaired, drift.error) == ("a", False, None)
        assert words in drift.detail
        (mended,) = repair(enforcer)
        assert (mended.found, mended.repaired) == (drift.found, True)
        assert (audit(enforcer), audited(prefix, of)) == ([], [])
        if what != "the way":
            meddle(prefix + "a")
            assert enforcer.enforce(two(81), edits_between(of, two(81))).ok
            assert audit(enforcer) == [], "a change on what has drifted leaves what was asked for"


def test_a_vpc_that_cannot_be_read_keeps_no_other_from_being_mended() -> None:
    with bare("a", "b") as prefix, enforcing(Namespaces(prefix)) as enforcer:
        enforcer.enforce(two(80))
        subprocess.run(["ip", "netns", "del", f"{prefix}a"], check=True)
        places.nft(prefix + "b", "flush", "chain", "inet", TABLE, "forward")
        gone, mended = repair(enforcer)
        assert (gone.vpc, gone.repaired) == ("a", False)
        assert "no network namespace" in gone.detail
        assert (mended.vpc, mended.repaired) == ("b", True)


def test_tables_of_others_stay_as_they_are() -> None:
    """With rules, sets, counters and handles: through a change, an edit, an audit, a repair and leaving the VPC."""
    with bare("a", "b") as prefix:
        subprocess.run(["ip", "-n", f"{prefix}a", "link", "set", "lo", "up"], check=True)
        places.nft(prefix + "a", "-f", "-", text=FOREIGN)
        before = places.told(prefix + "a", *THEIRS)
        assert before.count("packets") == 3
        with enforcing(Namespaces(prefix)) as enforcer:
            assert enforcer.enforce(two(80)).ok
            assert enforcer.enforce(two(81), edits_between(two(80), two(81))).ok
            assert audit(enforcer) == []
            places.nft(prefix + "a", "flush", "chain", "inet", TABLE, "forward")
            assert [drift.vpc for drift in repair(enforcer)] == ["a"]
            assert places.told(prefix + "a", *THEIRS) == before
        Namespaces(prefix).leave("a")
        assert places.told(prefix + "a", *THEIRS) == before
        assert TABLE not in places.nft(prefix + "a", "list", "tables", "inet")


def test_before_anything_is_enforced_nothing_has_drifted() -> None:
    with bare("a") as prefix:
        enforcer = Enforcer(Namespaces(prefix))
        assert audit(enforcer) == repair(enforcer) == []


def test_a_table_of_another_kind_is_told_as_such() -> None:
    held = Ruleset(helpers=frozenset({""}))
    assert told(difference("t", held, Ruleset())) == ("table of another kind: t",)
