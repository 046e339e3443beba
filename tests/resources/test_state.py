"""Laws of resources and states: text and back, and a state that was changed is the state of what there is."""

from __future__ import annotations

import random
from collections.abc import Mapping

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ringfence.model.topology import Penalty, Port
from ringfence.model.world import World
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource, ResourceChange, squashed
from ringfence.resources.state import State
from ringfence.resources.values import Machine, Penalized, PortAt
from tests.full_worlds import full_worlds
from tests.resources.drawing import as_kept, identities, resources_of

Things = Mapping[Key, Resource]
quick = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink and print whole worlds takes minutes
)


@quick
@given(world=full_worlds().map(as_kept))
def test_resources_make_the_world_that_they_are_of_and_survive_their_text(world: World) -> None:
    resources = resources_of(world)
    assert State.of(1, resources).world == world
    for resource in resources:
        assert Resource.parse(resource.text()) == resource
        assert resource.shown() == resource.as_json()


@quick
@given(resource=identities())
def test_identities_survive_their_text_and_never_show_a_secret(resource: Resource) -> None:
    assert Resource.parse(resource.text()) == resource
    assert ("sealed" in resource.as_json()) is (resource.kind is Kind.ACCESS_KEY)
    assert "sealed" not in resource.shown()


def by_key(resources: list[Resource]) -> Things:
    return {each.key: each for each in resources}


def steps(before: Things, after: Things, chance: random.Random) -> list[list[ResourceChange]]:
    """The way from some resources to others in one or several steps, none of which leaves anything without what it
    refers to: what comes or changes in one step, what goes after it, users first.
    """
    kept = [ResourceChange(before.get(key), each) for key, each in after.items() if before.get(key) != each]
    gone = [ResourceChange(each, None) for key, each in reversed([*before.items()]) if key not in after]
    if chance.random() < 0.5:
        return [[*kept, *gone]]
    cut = chance.randint(0, len(gone))
    return [kept, gone[:cut], gone[cut:]]


@quick
@given(worlds=st.lists(full_worlds().map(as_kept), min_size=2, max_size=4), seed=st.integers(0, 2**32))
def test_after_any_history_a_state_is_that_of_what_there_is(worlds: list[World], seed: int) -> None:
    """Also taken back, squashed into one change, and made in one step."""
    chance = random.Random(seed)
    state, history, before = State(), list[ResourceChange](), dict[Key, Resource]()
    for world in worlds:
        after = dict(by_key(resources_of(world)))
        for changes in steps(before, after, chance):
            state = state.after(state.revision + 1, changes)
            history += changes
            assert state == State.of(state.revision, state.resources.values())
        before = after
    assert state.world == worlds[-1]
    once = State().after(state.revision, squashed(history))
    assert once == state
    assert State() == once.after(0, [change.reversed for change in reversed(squashed(history))])


def test_a_port_that_takes_the_name_of_another_is_cut_off_as_its_own_penalty_says() -> None:
    """In one revision, whichever of the two ids comes first."""
    for old, new in (("p1", "p2"), ("p2", "p1"), *((f"p{number}", f"q{number}") for number in range(20))):
        before, after = (
            [
                Resource(Kind.PORT, port, "a", PortAt(0, Port("i", "eth0", "s", "v", (), ("g",)))),
                Resource(Kind.PENALTY, f"pen-{port}", "a", Penalized("", port, port)),
            ]
            for port in (old, new)
        )
        machine = Resource(Kind.INSTANCE, "i", "a", Machine())
        state = State.of(1, [machine, *before])
        changes = [*(ResourceChange(each, None) for each in before), *(ResourceChange(None, each) for each in after)]
        assert state.after(2, changes).world.penalties == {"i.eth0": Penalty("i.eth0", new)}
        assert not state.after(2, changes[:2]).world.penalties
