"""felix#724 under faults: nftables is slow, or fails, or the agent is killed, at any moment of a change.

Whatever happens, the kernel holds the old policy or the new one, and beside it at most what nothing refers to; and the
next change that goes well leaves just what was asked for. The judge is the `nft` program.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from itertools import count, islice, pairwise
from typing import Any

import pytest

from ringfence.backends.nftables.library import Nft
from ringfence.compile.compiler import compile_world
from ringfence.compile.plan import VpcPlan
from ringfence.errors import KernelRefused
from tests.killing import apply_and_be_killed
from tests.nftables.kernel import Kernel, new_kernel
from tests.nftables.whole import VPC, WHOLE, edited

pytestmark = pytest.mark.packets

State = dict[str, Any]


def steps(seed: int, length: int) -> list[VpcPlan]:
    """Plans of a world with everything, each some small edits away from the one before."""
    worlds = [WHOLE, *(world for _, world in islice(edited(WHOLE, random.Random(seed)), 4 * length))]
    return [compile_world(world).vpcs[VPC] for world in worlds[::4]]


@pytest.fixture(scope="module")
def fresh() -> Iterator[Callable[[VpcPlan], State]]:
    """Tells what a table is that was made for a plan and never changed."""
    with new_kernel() as kernel:

        def state(plan: VpcPlan) -> State:
            kernel.clear()
            kernel.driver().apply(plan)
            return kernel.state()

        yield state


def is_more_than(state: State, other: State) -> bool:
    """Whether one state is another, and what nothing of it refers to: chains, sets, helpers, and numbers of chains."""
    if not all(name in state and _holds(state[name], part) for name, part in other.items()):
        return False
    more = {name.split()[-1] for name in state.keys() - other.keys()}
    return not any(_refers(part, name) for name in more for part in other.values())


def _refers(part: Any, name: str) -> bool:
    """Whether a part names a chain, set or helper; a word of a match may be the same, as the state established."""
    return re.search(rf"""(?:@|'(?:target|set|ct helper)': ['"]){re.escape(name)}['"]""", str(part)) is not None


def _holds(found: Any, wanted: Any) -> bool:
    if isinstance(found, dict) and found.get("map") == "verdict":  # a number in it means nothing while no link has it
        spare = set(found["elem"]) - set(wanted["elem"])
        led = all(re.match(r"\[\d+, ", element) for element in spare)
        return led and {**found, "elem": sorted(set(found["elem"]) - spare)} == wanted
    return bool(found == wanted)


class Fault(Exception):
    """What a library that fails raises before it has done anything, or after it has done all."""


def failing(monkeypatch: pytest.MonkeyPatch, number: int, *, late: bool) -> None:
    """From now on, have a transaction fail: late is when the kernel has taken it and only the answer is lost."""
    run, numbers = Nft.run, count()

    def faulty(nft: Nft, commands: str) -> None:
        fails = next(numbers) == number
        if late or not fails:
            run(nft, commands)
        if fails:
            raise Fault

    monkeypatch.setattr(Nft, "run", faulty)


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(3))
def test_a_failure_at_any_transaction_leaves_one_of_two_policies(
    kernel: Kernel, fresh: Callable[[VpcPlan], State], monkeypatch: pytest.MonkeyPatch, number: int, late: bool
) -> None:
    """And neither the driver that has met it nor a new one is wrong about what is there."""
    plans, met = steps(number, 5), 0
    driver = kernel.driver()
    driver.apply(plans[0])
    for old, new in pairwise(plans):
        before, after = fresh(old), fresh(new)
        assert kernel.state() == before
        with monkeypatch.context() as patch:
            failing(patch, number, late=late)
            try:
                driver.apply(new)
            except Fault:
                met += 1
        state = kernel.state()
        assert is_more_than(state, before) or is_more_than(state, after)
        if met % 2:
            driver = kernel.driver()
        driver.apply(new)
        assert kernel.state() == after
        driver.apply(old)
        assert kernel.state() == before
        driver.apply(new)
    assert met > 1


def test_between_its_transactions_a_slow_change_is_the_old_policy_then_the_new(
    kernel: Kernel, fresh: Callable[[VpcPlan], State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel holds after each of them, however long the next takes to come."""
    run, seen = Nft.run, list[State]()

    def watched(nft: Nft, commands: str) -> None:
        run(nft, commands)
        seen.append(kernel.state())

    driver, plans, several = kernel.driver(), steps(7, 10), 0
    driver.apply(plans[0])
    for old, new in pairwise(plans):
        before, after = fresh(old), fresh(new)
        seen.clear()
        with monkeypatch.context() as patch:
            patch.setattr(Nft, "run", watched)
            driver.apply(new)
        several += len(seen) > 2
        policies = ["new" if is_more_than(state, after) else "old" for state in seen]
        assert policies == sorted(policies, reverse=True)
        assert all(is_more_than(state, before) for state, policy in zip(seen, policies, strict=True) if policy == "old")
        assert kernel.state() == after
    assert several > 2


def test_a_library_that_refuses_leaves_the_old_policy(
    kernel: Kernel, fresh: Callable[[VpcPlan], State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that is out of memory, say, for a while: each try is refused, and the first that is not repairs all."""
    plans, driver = steps(3, 2), kernel.driver()
    driver.apply(plans[0])
    before, after = fresh(plans[0]), fresh(plans[1])
    with monkeypatch.context() as patch:

        def refuse(nft: Nft, commands: str) -> None:
            raise KernelRefused("nftables refused the change as a whole: Cannot allocate memory")

        patch.setattr(Nft, "run", refuse)
        for plan in (plans[1], plans[2], plans[1]):
            with pytest.raises(KernelRefused):
                driver.apply(plan)
            assert kernel.state() == before
    driver.apply(plans[1])
    assert kernel.state() == after


def test_a_kill_at_any_moment_leaves_one_of_two_policies(kernel: Kernel, fresh: Callable[[VpcPlan], State]) -> None:
    plans, chance, outcomes = steps(11, 12), random.Random(11), set()
    kernel.driver().apply(plans[0])
    began = time.monotonic()
    kernel.driver().apply(plans[1])
    whole = time.monotonic() - began
    for number, (old, new) in enumerate(pairwise(plans[1:])):
        before, after = fresh(old), fresh(new)
        apply_and_be_killed(kernel.driver, old, new, {0: 0.0, 1: 20 * whole}.get(number, chance.uniform(0, whole)))
        state = kernel.state()
        is_new = is_more_than(state, after)
        assert is_new or is_more_than(state, before)
        outcomes.add(is_new)
        kernel.driver().apply(new)
        assert kernel.state() == after
    assert outcomes == {False, True}, "every kill came too early, or every kill too late"
