"""What a fix does besides: the flows it opens and closes, the live connections it cuts, the expectations it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ringfence.analysis.difference.difference import Differ, Difference, FlowChange
from ringfence.analysis.fix.edits import Edit
from ringfence.analysis.sets.diagram import Diagram
from ringfence.analysis.sets.packets import PORTS, PROTOCOL, PROTOCOLS, SOURCE_PORT
from ringfence.errors import UnknownName
from ringfence.model.flow import Expectation
from ringfence.model.profile import OnChange
from ringfence.model.world import World
from ringfence.policy.change import Change, Differences
from ringfence.policy.evaluate import Policy


@dataclass(frozen=True)
class Consequence:
    """What a change does. ``difference`` is exact; ``cuts`` says in words which live connections die."""

    difference: Difference
    cuts: tuple[str, ...]
    breaks: tuple[Expectation, ...]
    """Expectations that held before and do not hold after."""

    @property
    def weight(self) -> tuple[int, int, int]:
        """The less of these, the better: flows closed, expectations broken, flows opened."""
        return _volume_of(self.difference.denied), len(self.breaks), _volume_of(self.difference.allowed)

    def as_json(self) -> dict[str, object]:
        """For programs."""
        flows = self.difference.as_json()
        told = {"opens": flows["allowed"], "closes": flows["denied"]}
        return {**told, "cuts": list(self.cuts), "breaks": list(map(str, self.breaks))}


def consequence(differ: Differ, after: World, edits: Iterable[Edit]) -> Consequence:
    """What some edits do to the world of ``differ``, which lead to ``after``."""
    before, change = differ.before, change_of(edits)
    found = differ.to(after, change)
    cuts = tuple(_cuts(before, after, change, is_closing=bool(found.denied)))
    return Consequence(found, cuts, tuple(_broken(before, after)))


def change_of(edits: Iterable[Edit]) -> Change:
    """What some edits change together."""
    names: dict[str, set[str]] = {}
    for edit in edits:
        section, name = edit.thing
        names.setdefault(section, set()).add(name)
    return Change(**{section: frozenset(found) for section, found in names.items()})


def _volume_of(changes: Iterable[FlowChange]) -> int:
    """How much some changes are: pairs of addresses, times services from any source port."""
    return sum(_pairs(it) * _volume(it.services.diagram) for it in changes)


def _pairs(change: FlowChange) -> int:
    sources, destinations = (sum(each.size for each in side) for side in (change.sources, change.destinations))
    return sources * destinations


def _volume(diagram: Diagram, dimension: int = PROTOCOL) -> int:
    if dimension > SOURCE_PORT or not diagram:
        return 1 if diagram else 0
    bounds = (PROTOCOLS, PORTS, PORTS)[dimension]
    spans = diagram.spans(bounds) if diagram.dimension == dimension else [(bounds, diagram)]
    return sum((last - first + 1) * _volume(inner, dimension + 1) for (first, last), inner in spans)


def _broken(before: World, after: World) -> Iterator[Expectation]:
    was, now = Policy(before), Policy(after)
    for each in before.expects:
        try:
            flow = before.flow(each.query)
        except UnknownName:  # of something that somebody else has
            continue
        if was.evaluate(flow).action is each.action and now.evaluate(flow).action is not each.action:
            yield each


# ---- live connections, for who does not know which there are (SEMANTICS.md 3.3, 13.3)


def _cuts(before: World, after: World, change: Change, *, is_closing: bool) -> Iterator[str]:
    differing = Differences(before, after, change)
    cleared = [name for name in sorted(_groups(before, after, change)) if differing.group(name)]
    for name in cleared:
        vpcs = {kind.vpc for world in (before, after) for kind in world.members.kinds(name) if kind.vpc}
        if any(_mode(after, vpc) is OnChange.CLEAR_INBOUND for vpc in vpcs):
            number = after.sizes[name].ports
            yield f"every inbound connection of the members of {name} ({number} {'port' if number == 1 else 'ports'})"
    for name in sorted(change.instances):
        yield from _renamed(before, after, name)
    if is_closing and any(_mode(after, vpc) is OnChange.REJUDGE for vpc in after.vpcs):
        yield "connections that are denied now"


def _mode(world: World, vpc: str) -> OnChange:
    return world.vpcs[vpc].profile.on_change


def _groups(before: World, after: World, change: Change) -> set[str]:
    """The groups that may have other rules or members, or rules that mean something else."""
    found = set(change.groups)
    for name in change.address_groups:
        found.update(after.naming.users(("address_groups", name), "groups"))
    for world in (before, after):
        for name in change.instances:
            found.update(group for port in world.instances[name].ports for group in port.groups)
    return found


def _renamed(before: World, after: World, instance: str) -> Iterator[str]:
    """Connections from a port to those whose groups name a group that it joined or left."""
    for old, new in zip(before.instances[instance].ports, after.instances[instance].ports, strict=True):
        for group in sorted({*old.groups} ^ {*new.groups}):
            users = {user for kind in after.ties.kinds(group).values() for user in kind} - {*new.groups, *old.groups}
            if users and _mode(after, new.vpc) is OnChange.CLEAR_INBOUND:
                yield f"connections from {new} to the members of {', '.join(sorted(users))}"
