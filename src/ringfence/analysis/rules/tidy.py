"""The fewest rules that say what the rules of a group say, to get back under a quota. Proved before it is told.

"Fewest" is what counts against the quota (`group_cost`, SEMANTICS.md 6 and 13.12), then lines, then new rules. Rules
are left out, and replaced by those that `ringfence.analysis.rules.joining` proposes: ports and prefixes joined, one
family instead of both, all protocols instead of each. Disabled rules, and those of a managed service, stay as they are.

"Say the same" means: to every packet, whoever is in the groups that rules name, the group by itself decides alike, and
so does every list in which it takes part now, those of the ports that have it beside other groups. (A group may say
more than its default does: "deny tcp 22" matters to a port that has another group which allows it.)

How small it is: among all sets of the group's own rules and those proposals that fit beside them, no smaller one says
the same, if `Tidied.minimal` is true. That is proved by trying all of them: rules are taken or left from the weakest to
the strongest, and two choices that mean the same to what is stronger are one (dynamic programming over exact sets).
Where there would be too many choices at once, the best are kept: then nothing of the result can be left out, but a
smaller set may exist. Rules that are no proposal (a port list made up, a deny carved out) are never tried.

Why taking or leaving from the weakest on finds every solution: the weakest rule of any set that can be left out
together can be left out alone, since what comes behind it stays; and two lists that say the same say it together, too.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ringfence.analysis.rules.joining import proposals
from ringfence.analysis.rules.lists import Line, allowed_by
from ringfence.analysis.rules.matched import Lines, home_of, nics
from ringfence.analysis.sets.packets import Packets
from ringfence.errors import Protected
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Action, Direction, Rule
from ringfence.model.topology import Vpc
from ringfence.model.validation.quotas import group_cost, rule_cost
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, PolicyClass, class_of, decisions

EFFORT = 16_000
"""So many rules are taken or left in all, over all choices that are followed at once."""
_ROUNDS, _MOST = 4, 600
"""Proposals are made of proposals so often, and as long as there are not more of them."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """A group with the fewest rules that were found; ``before`` and ``after`` mean the same.

    Costs are what counts against ``limit``, the quota of the group. ``minimal``: no smaller set of its rules and of
    those that could stand in their place means the same; else nothing can be left out, but a smaller one may exist.
    """

    before: SecurityGroup
    after: SecurityGroup
    cost_before: int
    cost_after: int
    limit: int
    minimal: bool

    @property
    def gone(self) -> tuple[Rule, ...]:
        """Rules that are not needed, or that others stand for."""
        return tuple(rule for rule in self.before.rules if rule not in set(self.after.rules))

    @property
    def come(self) -> tuple[Rule, ...]:
        """Rules that are new, or say more or less than before."""
        return tuple(rule for rule in self.after.rules if rule not in set(self.before.rules))

    def world(self, world: World) -> World:
        """The world with the group tidied."""
        return world.edited(groups={self.after.name: self.after})


def tidied(world: World, group: SecurityGroup, effort: int = EFFORT) -> Tidied:
    """The fewest rules for a group; itself, where there is nothing to gain. Raises `Protected` if it is managed."""
    if group.managed:
        raise Protected(
            f"group {group.name} belongs to {group.managed}", "leave it as it is: only the service may change it"
        )
    profile, kept, minimal = world.profile_of(group), [*group.rules], True
    for direction in Direction:
        fixed = [rule for rule in kept if rule.direction is not direction or _is_fixed(rule)]
        search = _Search(world, group, direction, fixed)
        found, proved = search.fewest([rule for rule in kept if rule not in fixed], effort)
        kept, minimal = [*fixed, *found], minimal and proved
    after = replace(group, rules=_called(group, kept))
    if set(after.rules) == set(group.rules):
        after = group
    elif not says_the_same(world, group, after):  # proved once more, by other means than it was found
        after, minimal = group, False
    cost, less = (group_cost(it, profile, world) for it in (group, after))
    return Tidied(group, after, cost, less, profile.rules_per_group, minimal)


def _is_fixed(rule: Rule) -> bool:
    return not rule.enabled or bool(rule.managed)


def _called(group: SecurityGroup, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """New rules under the ids of old ones that they stand for, so that these are changed and not made anew."""
    free = [rule for rule in group.rules if rule.given_id and rule not in rules]
    found = []
    for rule in rules:
        heir = next((old for old in free if rule not in group.rules and _is_heir(rule, old)), None)
        if heir:
            free.remove(heir)
        found.append(rule.called(heir.given_id) if heir else rule)
    return tuple(sorted(found, key=lambda rule: rule.key))


def _is_heir(new: Rule, old: Rule) -> bool:
    return (new.direction, new.action, new.nic) == (old.direction, old.action, old.nic)


def says_the_same(world: World, before: SecurityGroup, after: SecurityGroup) -> bool:
    """Whether a group decides alike, by itself and in every list in which it takes part; exact (see the module)."""
    for direction in Direction:
        for vpc, of in _places(world, before):
            lists = [_listed(world, vpc, of, it, direction) for it in (before, after)]
            lines = Lines(world, [each for listed in lists for each in listed], direction)
            one, two = (allowed_by([Line(lines.packets(it), it.action) for it in listed]) for listed in lists)
            if one != two:
                return False
    return True


def _places(world: World, group: SecurityGroup) -> list[tuple[Vpc, PolicyClass]]:
    """The group by itself on each interface, and the classes of the ports that have it."""
    vpc = home_of(world, group)
    found = {PolicyClass(vpc.name, (group.name,), nic): vpc for nic in nics(world, group)}
    ports = [*world.ports, *(each.port for each in world.detached.values())]
    found |= {class_of(world.vpcs[it.vpc], it): world.vpcs[it.vpc] for it in ports if group.name in it.groups}
    return [(vpc, of) for of, vpc in found.items()]


def _listed(
    world: World, vpc: Vpc, of: PolicyClass, group: SecurityGroup, direction: Direction
) -> tuple[Decision, ...]:
    groups = {name: group if name == group.name else world.groups[name] for name in of.groups}
    return decisions(vpc, groups, world.port_lists, of, direction)


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


class _Search:
    def __init__(self, world: World, group: SecurityGroup, direction: Direction, fixed: Sequence[Rule]) -> None:
        self._world, self._group, self._direction, self._fixed = world, group, direction, fixed
        self._profile = world.profile_of(group)
        self._where = _places(world, group)

    def fewest(self, rules: Sequence[Rule], effort: int) -> tuple[list[Rule], bool]:
        """The fewest rules in place of ``rules``, beside the fixed ones; and whether there are no fewer."""
        known = own = self._by_id(rules)
        for _ in range(_ROUNDS):
            new = self._by_id(proposals([*known.values()], self._fixed, self._profile))
            fitting = self._fitting(known, new) if len(known) <= _MOST else {}
            known = known | fitting
            if not fitting:
                break
        found, proved = self._chosen(known, own.keys(), max(2, effort // (len(known) + 1)))
        if not proved:  # leave out what can be, whatever may come of it
            found, _ = self._chosen(self._by_id(found), own.keys(), 1)
        return found, proved and len(own) <= _MOST  # of more rules, none that might stand in their place was tried

    def _by_id(self, rules: Iterable[Rule]) -> dict[str, Rule]:
        return {rule.id_in(self._group.name): rule for rule in rules}

    def _fitting(self, known: dict[str, Rule], new: dict[str, Rule]) -> dict[str, Rule]:
        """Those of some new rules that change nothing beside all that are known."""
        for vpc, of in self._where:
            listed = self._list(vpc, of, [*known.values(), *new.values()])
            lines = Lines(self._world, listed, self._direction)
            packets = [lines.packets(it) for it in listed]
            old = [Line(found, it.action) for it, found in zip(listed, packets, strict=True) if it.rule_id not in new]
            allowed, covered = allowed_by(old), Packets.NONE
            for decision, found in zip(listed, packets, strict=True):
                if decision.rule_id not in new:
                    covered |= found
                elif not _decides(found - covered, decision.action, allowed):
                    del new[decision.rule_id]
        return new

    def _list(self, vpc: Vpc, of: PolicyClass, rules: Iterable[Rule]) -> tuple[Decision, ...]:
        group = replace(self._group, rules=(*rules, *self._fixed))
        return _listed(self._world, vpc, of, group, self._direction)

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

    def _chosen(self, known: dict[str, Rule], own: Container[str], width: int) -> tuple[list[Rule], bool]:
        """Take rules or leave them, from the weakest on, following so many choices at once."""
        order = sorted(known, key=lambda rule_id: _strength(known[rule_id]))
        places = [self._place(vpc, of, known, order) for vpc, of in self._where]
        choices: Choices = {tuple(Packets.NONE for _ in places): _Choice((0, 0, 0), None)}
        proved = True
        for rule_id in reversed(order):
            price = rule_cost(known[rule_id], self._profile, self._world), 1, int(rule_id not in own)
            choices = _step(places, rule_id, known[rule_id], price, choices)
            proved = proved and len(choices) <= width
            choices = dict(sorted(choices.items(), key=lambda item: item[1].price)[:width])
        return [*min(choices.values(), key=lambda choice: choice.price).rules], proved


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
