"""The enforcer against real kernels: edits followed, failures in one VPC, starts, namespaces that come and go."""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace

import pytest

from ringfence.agent.audit import audit
from ringfence.agent.enforcer import Enforcer
from ringfence.agent.namespaces import Namespaces
from ringfence.agent.outcome import Status
from ringfence.backends.nftables.driver import Driver
from ringfence.backends.nftables.library import Nft
from ringfence.compile.compiler import compile_world
from ringfence.errors import KernelRefused
from ringfence.lab.netns import differing_sysctls
from ringfence.lab.topology import FORWARDING, gate_sysctls
from ringfence.model.edit import Edit
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.world import World
from tests.agent.places import TABLE, bare, edits_between, enforcing, nft, told
from tests.edits import edits
from tests.lab.worlds import world
from tests.worlds import random_world

pytestmark = pytest.mark.packets

TWO = """
profile: {profile}
vpcs:
  a: {{cidrs: [10.1.0.0/16, "fd00:1::/56"], subnets: {{s: {{cidr: 10.1.1.0/24, cidr6: "fd00:1:0:1::/64"}}}}}}
  b: {{cidrs: [10.2.0.0/16], subnets: {{t: 10.2.1.0/24}}}}
groups:
  ga: {{vpc: a, rules: [in allow tcp {port} from any, out allow all to any]}}
  gb: {{vpc: b, rules: [in allow tcp {port} from any, out allow all to any]}}
instances:
  x: {{subnet: s, ip: 10.1.1.11, ip6: "fd00:1:0:1::11", groups: ga}}
  y: {{subnet: t, ip: 10.2.1.12, groups: gb}}
"""


def two(port: int, profile: str = "huawei") -> World:
    return world(TWO.format(port=port, profile=profile))


def audited(prefix: str, of: World) -> list[str]:
    """What drivers that know nothing find wrong in each VPC."""
    found = []
    for vpc, plan in compile_world(of).vpcs.items():
        driver = Driver(prefix + vpc, TABLE)
        found += [f"{vpc}: {command}" for command in driver.audit(plan)]
        driver.close()
    return found


@pytest.mark.parametrize("profile", [HUAWEI, ALIBABA], ids=lambda profile: profile.name)
def test_edits_lead_where_the_whole_world_leads(profile: Profile) -> None:
    """Revisions of one to four edits; after each the kernel holds what it would hold if it were made from scratch."""
    chance = random.Random(0)
    of, followed = random_world(chance, profile), 0
    with bare(*of.vpcs) as prefix, enforcing(Namespaces(prefix)) as enforcer:
        assert enforcer.enforce(of).ok
        for _ in range(4):
            revision: list[Edit] = []
            for edit, after in edits(of, chance, chance.randint(1, 4)):
                revision.append(edit)
                of = after
            done = enforcer.enforce(of, revision)
            assert done.ok
            followed += not done.whole
            assert audit(enforcer) == []
        assert audited(prefix, of) == []
        with enforcing(Namespaces(prefix)) as again:
            assert again.enforce(of).commands == 0
    assert followed >= 2


def test_one_revision_is_one_switch_a_vpc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three groups and a member that joins: in each VPC no more transactions than for one of them."""
    before, after = two(80), two(81)
    ran: list[str] = []
    run = Nft.run

    def counted(nft: Nft, commands: str) -> None:
        ran.append(commands)
        run(nft, commands)

    with bare("a", "b") as prefix, enforcing(Namespaces(prefix)) as enforcer:
        enforcer.enforce(before)
        monkeypatch.setattr(Nft, "run", counted)
        found = edits_between(before, after)
        assert len(found) == 2
        done = enforcer.enforce(after, [*found, *edits_between(after, before), *found])
        assert (done.whole, done.ok, len(ran)) == (False, True, 2)
        ran.clear()
        nothing = enforcer.enforce(after, [*edits_between(after, before), *found])
        assert (nothing.whole, nothing.commands, ran) == (False, 0, [])


def test_what_fails_in_one_vpc_leaves_the_others_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old policy stays there; it is told each time, and the next change starts there from the whole plan."""
    worlds = [two(port) for port in (80, 81, 82)]
    with bare("a", "b") as prefix, enforcing(Namespaces(prefix)) as enforcer:
        assert enforcer.enforce(worlds[0]).ok
        old = told(prefix + "a", f"inet {TABLE}")
        with monkeypatch.context() as patch:
            _refusing_in(patch, enforcer, "a")
            for edits_known in (True, False):
                done = enforcer.enforce(worlds[1], edits_between(*worlds[:2]) if edits_known else None)
                assert (done.ok, {*done.failed}, done.whole) == (False, {"a"}, not edits_known)
                failed = done.vpcs["a"]
                assert (failed.status, failed.code) == (Status.FAILED, "kernel.refused")
                assert "out of memory" in failed.detail
                assert done.vpcs["b"].status is Status.ENFORCED
                assert told(prefix + "a", f"inet {TABLE}") == old
        assert {drift.vpc for drift in audit(enforcer)} == {"a"}
        done = enforcer.enforce(worlds[2], edits_between(*worlds[1:]))
        assert (done.ok, done.whole, {*done.failed}) == (True, False, set())
        assert audited(prefix, worlds[2]) == []


def _refusing_in(patch: pytest.MonkeyPatch, enforcer: Enforcer, vpc: str) -> None:
    """Have a VPC's kernel be out of memory."""
    refused, run = enforcer.fabric.driver(vpc), Nft.run
    assert refused

    def refuse(nft: Nft, commands: str) -> None:
        if nft is refused._nft:
            raise KernelRefused("nftables refused the change as a whole: out of memory")
        run(nft, commands)

    patch.setattr(Nft, "run", refuse)


def test_a_table_that_another_process_owns_is_told() -> None:
    """A refusal of the kernel's own: nobody may change a table with an owner."""
    with bare("a", "b") as prefix, enforcing(Namespaces(prefix)) as enforcer:
        owner = Nft(prefix + "a")
        owner.run(f"add table inet {TABLE} {{ flags owner; }}")
        done = enforcer.enforce(two(80))
        assert {name: it.status for name, it in done.vpcs.items()} == {"a": Status.FAILED, "b": Status.ENFORCED}
        assert done.vpcs["a"].code == "kernel.refused"
        owner.close()
        assert enforcer.enforce(two(80), []).ok
        assert audited(prefix, two(80)) == []


def test_a_start_on_what_is_in_force_already_sends_nothing() -> None:
    with bare("a", "b") as prefix:
        for commands in (True, False):
            with enforcing(Namespaces(prefix)) as enforcer:
                done = enforcer.enforce(two(80))
                assert (done.ok, done.commands > 0) == (True, commands)
                assert enforcer.enforce(two(80)).commands == 0


def test_a_namespace_may_come_go_and_be_made_anew() -> None:
    of, next_world = two(80), two(81)
    with bare("a") as prefix, enforcing(Namespaces(prefix)) as enforcer:
        assert routes(prefix + "a") == {"0"}
        done = enforcer.enforce(of)
        assert (done.ok, {*done.absent}, done.vpcs["b"].status) == (True, {"b"}, Status.ABSENT)
        assert routes(prefix + "a") == {"1"}
        assert audit(enforcer) == []
        _ip("add", prefix + "b")
        assert enforcer.enforce(of, []).vpcs["b"].status is Status.ENFORCED
        assert (audited(prefix, of), routes(prefix + "b")) == ([], {"1"})
        _ip("del", prefix + "a")
        assert "no network namespace" in audit(enforcer)[0].detail
        _ip("add", prefix + "a")
        done = enforcer.enforce(next_world, edits_between(of, next_world))
        assert (done.ok, audited(prefix, next_world), routes(prefix + "a")) == (True, [], {"1"})


def test_a_vpc_that_is_no_more_is_left_without_a_way_through() -> None:
    of = two(80)
    alone = replace(
        of,
        vpcs={"a": of.vpcs["a"]},
        groups={"ga": of.groups["ga"]},
        instances={"x": of.instances["x"]},
    )
    with bare("a", "b") as prefix, enforcing(Namespaces(prefix)) as enforcer:
        assert enforcer.enforce(of).ok
        nft(prefix + "b", "add", "table", "inet", "theirs")
        assert enforcer.enforce(alone).ok
        assert nft(prefix + "b", "list", "tables").split() == ["table", "inet", "theirs"]
        assert routes(prefix + "b") == {"0"}
        assert enforcer.enforce(of).ok
        assert (audited(prefix, of), routes(prefix + "b")) == ([], {"1"})


@pytest.mark.parametrize("profile", ["huawei", "alibaba"])
def test_a_namespace_tracks_as_its_profile_says(profile: str) -> None:
    of, other = two(80, profile), two(80, "alibaba" if profile == "huawei" else "huawei")
    with bare("a", "b") as prefix, enforcing(Namespaces(prefix)) as enforcer:
        for each in (of, other):
            assert enforcer.enforce(each).ok
            for name, vpc in each.vpcs.items():
                assert differing_sysctls(prefix + name, gate_sysctls(vpc.profile)) == []


def routes(namespace: str) -> set[str]:
    """The values of the switches that make it route."""
    wrong = differing_sysctls(namespace, dict.fromkeys(FORWARDING, 1))
    return {"1"} if not wrong else {line.split(" is ")[1].partition(",")[0] for line in wrong}


def _ip(*words: str) -> None:
    subprocess.run(["ip", "netns", *words], check=True)
