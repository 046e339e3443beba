"""kube-ovn#4975, stale membership: what is enforced is what is stored, after any history of the service.

Random requests go to a real service on a real store and to a plain model of it (`tests.service.plain`). After each they
must agree on what is there, who refers to whom and what had to be refused, another process on the store must see the
same, and the plan that followed the edits must be the one that is compiled from scratch; at the end also where the
history is squashed, split otherwise, reversed step by step, or read back from the store.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ringfence.agent.namespaces import Namespaces
from ringfence.resources.edits import edits_of
from ringfence.resources.resource import squashed
from tests.agent.places import bare, enforcing
from tests.service.histories import History, closed, opened
from tests.service.kernel import wrong
from tests.service.plain import TENANT, Step
from tests.service.requests import ENTRIES, PORTS, VPCS, Requests, beginning

CHANCE = st.randoms(use_true_random=False)


class Histories(RuleBasedStateMachine):
    """A service, and the model beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory(prefix="ringfence-")
        self.control, _ = opened(Path(self.directory.name))
        self.history: History | None = None
        self.chance = random.Random(0)

    @initialize(chance=CHANCE, account=st.sampled_from(["operator", TENANT]))
    def begin(self, chance: random.Random, account: str) -> None:
        """In the operator's account ids are the names that were asked for; in another one they are made up."""
        self.chance = random.Random(chance.getrandbits(32))
        self.history = History(self.control, account)
        self.history.request(beginning(chance))

    @rule(chance=CHANCE)
    def request(self, chance: random.Random) -> None:
        """Something, one step or several at once."""
        assert self.history
        self.history.request(Requests(chance).next(self.history.plain))

    @invariant()
    def stored(self) -> None:
        """What is stored is what is known, and valid."""
        if self.history:
            self.history.check_store()

    def teardown(self) -> None:
        """Look at the history as a whole."""
        try:
            if self.history:
                self.history.check_world()
                self.history.check_replays(self.chance)
        finally:
            closed(self.control)
            self.directory.cleanup()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=6, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.packets
@pytest.mark.parametrize("seed", range(2))
def test_the_kernel_holds_what_a_compilation_from_scratch_says(seed: int, tmp_path: Path) -> None:
    """One who enforces each revision, or several at once, as they come; namespaces are there for most of the VPCs."""
    chance = random.Random(seed)
    control, _ = opened(tmp_path)
    history, behind = History(control), 0
    with bare(*VPCS) as prefix, enforcing(Namespaces(prefix)) as enforcer:
        history.request(beginning(chance))
        assert enforcer.enforce(control.state.world).ok
        followed = 0
        for _ in range(30):
            known = len(history.states)
            history.request(Requests(chance).next(history.plain))
            behind += len(history.states) - known
            if behind and chance.random() < 0.85:
                before, changes = (
                    history.states[-1 - behind],
                    squashed(it for made in history.changes[-behind:] for it in made),
                )
                done = enforcer.enforce(control.state.world, edits_of(before, control.state, changes))
                assert done.ok, done
                assert wrong(prefix, control.state.world) == []
                followed, behind = followed + (not done.whole), 0
    assert followed > 3
    closed(control)


def _leaving() -> Iterator[Step]:
    """What leaves something that rules name, one single edit after the other; few random histories come by them all."""
    remotes = ("group g2", "l1", "any")
    rules = [{"direction": "ingress", "protocol": "tcp", "ports": "w1", "remote": it} for it in remotes]
    yield Step("authorize", "rule", "g1", rules)
    yield Step("join", "port", "g2", ["i1.eth0"])
    yield Step("leave", "port", "g2", ["i1.eth0"])
    yield Step("stop", "instance", "i2")
    yield Step("set_groups", "port", "i2.eth0", ["g1"])
    yield Step("start", "instance", "i2")
    yield Step("edit_entries", "address_group", "l1", {"add": [], "remove": [ENTRIES[0]]})
    yield Step("update", "address_group", "l1", {"entries": []})
    yield Step("edit_entries", "port_list", "w1", {"add": [], "remove": [PORTS[0]]})
    yield Step("update", "port_list", "w1", {"entries": []})


def test_what_leaves_is_gone(tmp_path: Path) -> None:
    """Also from a machine that is off meanwhile (that was the defect), and each by an edit that is followed."""
    control, _ = opened(tmp_path)
    history = History(control)
    history.request(beginning(random.Random(0)))
    for step in _leaving():
        before = history.follower.followed
        history.request([step])
        assert history.follower.followed > before or step.verb in ("start", "stop"), step
    own = [name for name, rule in history.plain.all("rule").items() if rule["group"] == "g1"]
    history.request([Step("revoke", "rule", "g1", own)])
    assert history.refused == 0
    history.check_replays(random.Random(1))
    closed(control)
