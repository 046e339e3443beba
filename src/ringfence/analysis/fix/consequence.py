"""What a fix does besides: the flows it opens and closes, the live connections it cuts, the expectations it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.analysis.fix.edits import Edit
from ringfence.analysis.fix.turned import Turned, turned
from ringfence.model.flow import Expectation
from ringfence.model.profile import OnChange
from ringfence.model.world import World
from ringfence.policy.change import Change, Differences
from ringfence.policy.evaluate import Policy


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a change does. ``cuts`` says in words which live connections it cuts."""

    opens: tuple[Turned, ...]
    closes: tuple[Turned, ...]
    cuts: tuple[str, ...]
    breaks: tuple[Expectation, ...]
    """Expectations that held before and do not hold after."""

    @property
    def weight(self) -> tuple[int, int, int]:
        """The less of these, the better: flows closed, expectations broken, flows opened."""
        return sum(it.volume for it in self.closes), len(self.breaks), sum(it.volume for it in self.opens)


def consequence(before: World, after: World, edits: tuple[Edit, ...]) -> Consequence:
    """Work it out, exactly."""
    opens, closes = turned(before, after)
    change = _change(edits)
    return Consequence(opens, closes, tuple(cut_in_words(before, after, change, closes)), tuple(_broken(before, after)))


def _change(edits: tuple[Edit, ...]) -> Change:
    names: dict[str, set[str]] = {}
    for edit in edits:
        section, name = edit.thing
        names.setdefault(section, set()).add(name)
    return Change(**{section: frozenset(found) for section, found in names.items()})


def _broken(before: World, after: World) -> Iterator[Expectation]:
    was, now = Policy(before), Policy(after)
    for each in before.expects:
        flow = before.flow(each.query)
        if was.evaluate(flow).action is each.action and now.evaluate(flow).action is not each.action:
            yield each


def cut_in_words(before: World, after: World, change: Change, closes: tuple[Turned, ...]) -> Iterator[str]:
    """The live connections that a change cuts (SEMANTICS.md 3.3, 13.3), for who does not know which there are."""
    differing = Differences(before, after, change)
    for name in sorted(_groups(before, after, change)):
        vpcs = {kind.vpc for world in (before, after) for kind in world.members.kinds(name) if kind.vpc}
        if any(_mode(after, vpc) is OnChange.CLEAR_INBOUND for vpc in vpcs) and differing.group(name):
            number = after.sizes[name].ports
            yield f"every inbound connection of the members of {name} ({number} {'port' if number == 1 else 'ports'})"
    for name in sorted(change.instances):
        yield from _renamed(before, after, name)
    if closes and any(_mode(after, vpc) is OnChange.REJUDGE for vpc in after.vpcs):
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
            found |= {group for port in world.instances[name].ports for group in port.groups}
    return found


def _renamed(before: World, after: World, instance: str) -> Iterator[str]:
    """Connections from a port to those whose groups name a group that it joined or left."""
    pairs = zip(before.instances[instance].ports, after.instances[instance].ports, strict=True)
    for old, new in pairs:
        for group in sorted({*old.groups} ^ {*new.groups}):
            users = {user for kind in after.ties.kinds(group).values() for user in kind} - {*new.groups, *old.groups}
            if users and _mode(after, new.vpc) is OnChange.CLEAR_INBOUND:
                yield f"connections from {new} to the members of {', '.join(sorted(users))}"
