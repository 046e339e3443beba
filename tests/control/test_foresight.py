"""What a change leads to, by an analysis that is kept: as by one that is made for the question, in the same names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ringfence.analysis.difference.difference import difference
from ringfence.control.caller import Caller
from ringfence.control.foresight import IDLE, Foresight
from ringfence.control.planning import plan
from ringfence.control.view import View
from ringfence.model.world import World
from ringfence.store.rows import now
from tests.control.test_view import Estate, edited
from tests.declare.desk import Desk


def sets(told: dict[str, Any]) -> set[object]:
    """What is told of sets, whichever example it is told with, and in whatever order and parts."""
    return set(parts(told))


def parts(told: dict[str, Any]) -> Iterator[object]:
    for name in ("allowed", "denied", "connections"):
        for it in told[name]:
            for source in it["from"]:
                for destination in it["to"]:
                    yield name, source, destination, it["family"], tuple(it["services"])


def alone(path: Path, seed: int) -> tuple[Estate, Caller]:
    """An account that has all that there is, under names that are often the ids of other things."""
    made = Estate(Desk(path), Random(seed))
    ann = made.desk.tenant("ann")
    for _ in range(2):
        made.settle(ann, [ann])
    return made, ann


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_tells_what_is_made_for_the_question_in_the_same_names(seed: int, tmp_path: Path) -> None:
    made, ann = alone(tmp_path, seed)
    kept, asked = Foresight(), 0
    states = [made.desk.control.state]
    for _ in range(4):
        for state in (states[-1], made.random.choice(states)):  # the newest, and one of the past
            wanted: World = edited(View(state, ann.account), made.random)
            views = plan(state, ann, wanted, now()).views
            assert views[0].is_whole
            found, anew = kept.told(*views), difference(views[0].own, views[1].own).as_json()
            assert sets(found) == sets(anew)
            asked += bool(sets(found))
        made.desk.apply(ann, edited(View(states[-1], ann.account), made.random))
        states.append(made.desk.control.state)
    assert asked
    made.desk.store.close()


def test_an_analysis_follows_while_it_is_asked_and_is_given_up_then(tmp_path: Path) -> None:
    made, ann = alone(tmp_path, 1)
    time = [0.0]
    kept = Foresight(clock=lambda: time[0])
    with kept.about(View(made.desk.control.state, ann.account)) as first:
        pass
    made.desk.apply(ann, edited(View(made.desk.control.state, ann.account), made.random))
    for later, is_kept in ((IDLE, True), (IDLE + 1, True), (2 * IDLE + 3, False)):
        time[0] = later
        kept.rest()
        with kept.about(View(made.desk.control.state, ann.account)) as now_:
            assert (now_ is first) is is_kept
            assert now_.before is made.desk.control.state.world
    made.desk.store.close()
