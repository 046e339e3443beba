"""The smallest set of rules that says the same, by trying all sets of a group's own rules and of proposals.

Rules are taken or left from the weakest to the strongest, and two choices that mean the same to what is stronger are
one (dynamic programming over exact sets).

Why that finds every solution: the weakest rule of any set that can be left out together can be left out alone, since
what comes behind it stays; and two lists that say the same say it together, too.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ringfence.analysis.rules.joining import proposals
from ringfence.analysis.rules.lists import Line
from ringfence.analysis.rules.matched import Lines
from ringfence.analysis.rules.trial import Trial, listed_with, places_of
from ringfence.analysis.sets.packets import Packets
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Action, Direction, Rule
from ringfence.model.topology import Vpc
from ringfence.model.validation.quotas import rule_cost
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, PolicyClass

_ROUNDS, _MOST = 4, 600
"""Proposals are made of proposals so often, and as long as there are not more of them."""
_KINDS = 400_000
"""More of them than that, see `_kinds`, are too many: sets would take long, let alone all of them."""

Price = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """One list in which rules take part: by rule, what only it decides beside all of the others, and what it matches.

    ``covered`` is what lines before a rule match, ``behind`` are the fixed lines between it and the next rule.
    """

    own: dict[str, Packets]
    lines: dict[str, Line]
    covered: dict[str, Packets]
    behind: dict[str, list[Line]]

    def crossed(self, rule_id: str, allowed: Packets) -> Packets:
        """What is allowed behind a rule, given what is behind the next."""
        for line in reversed(self.behind.get(rule_id, [])):
            allowed = _after(line, allowed)
        return allowed

    def can_go(self, rule_id: str, allowed: Packets) -> bool:
        """Whether what it decides alone would be decided alike by what is behind it."""
        line = self.lines.get(rule_id)
        return line is None or _decides(self.own[rule_id], line.action, allowed)

    def taken(self, rule_id: str, allowed: Packets) -> Packets:
        """What is allowed from a rule on."""
        line = self.lines.get(rule_id)
        return allowed if line is None else _after(line, allowed)

    def seen(self, rule_id: str, allowed: Packets) -> Packets:
        """As much of it as anything stronger can make a difference to."""
        covered = self.covered.get(rule_id)
        return allowed if covered is None else allowed & covered


@dataclass(frozen=True, slots=True)
class _Choice:
    """Rules taken so far; ``price`` is what they cost, lines, and new ones."""

    price: Price
    taken: tuple[Rule, _Choice] | None

    @property
    def rules(self) -> Iterator[Rule]:
        """All of them."""
        at: _Choice | None = self
        while at is not None and at.taken:
            yield at.taken[0]
            at = at.taken[1]


Choices = dict[tuple[Packets, ...], _Choice]
"""The best of those that mean the same to what is stronger, by what they allow in each place."""


class Search:
    """A search among the rules of one direction of a group, beside ``fixed`` ones."""

    def __init__(self, world: World, group: SecurityGroup, direction: Direction, fixed: Sequence[Rule]) -> None:
        self._world, self._group, self._direction, self._fixed = world, group, direction, fixed
        self._profile = world.profile_of(group)
        self._where = places_of(world, group)

    def fewest(self, rules: Sequence[Rule], effort: int) -> list[Rule] | None:
        """The fewest rules in place of some; None where so many rules would have to be taken or left, in all choices.

        Once that is known, it is not gone on with.
        """
        if len(rules) > _MOST or sum(_kinds(self._list(*place, rules)) for place in self._where) > _KINDS:
            return None
        known = own = self._by_id(rules)
        for _ in range(_ROUNDS):
            new = self._by_id(proposals([*known.values()], self._fixed, self._profile))
            fitting = self._fitting(known, new) if len(known) <= _MOST else {}
            known = known | fitting
            if not fitting:
                break
        return self._chosen(known, own.keys(), effort // (len(known) + 1))

    def _by_id(self, rules: Iterable[Rule]) -> dict[str, Rule]:
        return {rule.id_in(self._group.name): rule for rule in rules}

    def _fitting(self, known: dict[str, Rule], new: dict[str, Rule]) -> dict[str, Rule]:
        """Those of some new rules that change nothing beside all that are known."""
        others = {rule_id: rule for rule_id, rule in new.items() if rule_id not in known}
        rules = [*others.values(), *known.values(), *self._fixed]
        trial = Trial(self._world, self._group, self._direction, rules)
        trial.leave_out(range(len(others)))
        return {rule_id: rule for number, (rule_id, rule) in enumerate(others.items()) if trial.is_needless(number)}

    def _list(self, vpc: Vpc, of: PolicyClass, rules: Iterable[Rule]) -> tuple[Decision, ...]:
        group = replace(self._group, rules=(*rules, *self._fixed))
        return listed_with(self._world, vpc, of, group, self._direction)

    def _place(self, vpc: Vpc, of: PolicyClass, known: dict[str, Rule], order: Sequence[str]) -> _Place:
        listed = self._list(vpc, of, known.values())
        lines = Lines(self._world, listed, self._direction)
        rank = {rule_id: index for index, rule_id in enumerate(order)}
        made, covered, last = _Place({}, {}, {}, {}), Packets.NONE, ""
        for _, run in groupby(listed, lambda it: it.action):  # neighbours of one action may change places
            for decision in sorted(run, key=lambda it: rank.get(it.rule_id, -1)):
                line = Line(lines.packets(decision), decision.action)
                if decision.rule_id in rank:
                    last = decision.rule_id
                    made.lines[last], made.own[last], made.covered[last] = line, line.packets - covered, covered
                else:
                    made.behind.setdefault(last, []).append(line)
                covered |= line.packets
        return made

    def _chosen(self, known: dict[str, Rule], own: Container[str], most: int) -> list[Rule] | None:
        """Take rules or leave them, from the weakest on; None where there are more choices at once than ``most``."""
        order = sorted(known, key=lambda rule_id: _strength(known[rule_id]))
        places = [self._place(vpc, of, known, order) for vpc, of in self._where]
        choices: Choices = {tuple(Packets.NONE for _ in places): _Choice((0, 0, 0), None)}
        for rule_id in reversed(order):
            price = rule_cost(known[rule_id], self._profile, self._world), 1, int(rule_id not in own)
            choices = _step(places, rule_id, known[rule_id], price, choices)
            if len(choices) > most:
                return None
        return [*min(choices.values(), key=lambda choice: choice.price).rules]


def _kinds(listed: Sequence[Decision]) -> int:
    """How many lines, times remotes, times services: as that grows, so do the sets that a list is about."""
    remotes = {(it.remote, it.local) for it in listed}
    services = {(it.protocol, it.ports, it.source_ports) for it in listed}
    return len(listed) * len(remotes) * len(services)


def _step(places: Sequence[_Place], rule_id: str, rule: Rule, price: Price, choices: Choices) -> Choices:
    """What becomes of some choices by taking or leaving a rule."""
    found: Choices = {}
    for state, choice in choices.items():
        now = [place.crossed(rule_id, allowed) for place, allowed in zip(places, state, strict=True)]
        both = [*zip(places, now, strict=True)]
        total = choice.price[0] + price[0], choice.price[1] + price[1], choice.price[2] + price[2]
        options = [(_Choice(total, (rule, choice)), [place.taken(rule_id, allowed) for place, allowed in both])]
        if all(place.can_go(rule_id, allowed) for place, allowed in both):
            options.append((choice, now))
        for option, after in options:
            key = tuple(place.seen(rule_id, allowed) for place, allowed in zip(places, after, strict=True))
            if key not in found or option.price < found[key].price:
                found[key] = option
    return found


def _strength(rule: Rule) -> tuple[object, ...]:
    """Strongest first; those that mean neighbouring things beside each other, so that few choices are open at once."""
    ports = [(each.first, each.last) for each in getattr(rule.ports, "ranges", ())]
    return (
        rule.priority,
        rule.action is Action.ALLOW,
        str(rule.protocol),
        str(rule.remote),
        ports,
        str(rule.ports),
        rule.key,
    )


def _decides(packets: Packets, action: Action, allowed: Packets) -> bool:
    """Whether an action is what becomes of some packets."""
    return packets <= allowed if action is Action.ALLOW else not packets & allowed


def _after(line: Line, allowed: Packets) -> Packets:
    return allowed | line.packets if line.action is Action.ALLOW else allowed - line.packets
