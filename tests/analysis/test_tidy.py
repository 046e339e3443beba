"""Tidied groups: they say the same to every flow, and no smaller set of rules does, as far as that is told."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, product

import pytest
from bench.redundancy import SHAPES, world_of

from ringfence.analysis.rules.joining import joints, proposals
from ringfence.analysis.rules.tidy import Tidied, tidied
from ringfence.analysis.rules.trial import says_the_same
from ringfence.errors import Protected
from ringfence.model.address import Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.profile import ALIBABA, HUAWEI, Profile
from ringfence.model.rule import Action, AnyRemote, GroupRemote, Rule
from ringfence.model.service import PortSet
from ringfence.model.validation.quotas import rule_cost
from ringfence.model.world import World, by_name
from ringfence.policy.evaluate import Policy
from ringfence.worldfile import parse
from tests.analysis.by_sets import agree_as_sets
from tests.worlds import random_flows, random_world

Point = tuple[int, int, int, int, int]
"""Version, protocol, port, address, and whether in the group that rules name."""


@pytest.mark.parametrize("seed", range(4))
def test_every_flow_fares_as_before(seed: int) -> None:
    rng = random.Random(seed)
    world = random_world(rng, [HUAWEI, ALIBABA][seed % 2])
    after, fewer = world, 0
    for name in rng.sample(sorted(world.groups), 6):
        made = tidied(after, after.groups[name], effort=200) if not after.groups[name].managed else None
        after = made.world(after) if made else after
        fewer += made.cost_before - made.cost_after if made else 0
    assert fewer > 0
    one, two = Policy(world), Policy(after)
    for flow in random_flows(rng, world, 400):
        assert one.evaluate(flow).action is two.evaluate(flow).action, str(flow)


def drawn(rng: random.Random) -> tuple[Rule, ...]:
    """A few rules about neighbouring things."""
    remotes = ["10.0.0.0/9", "10.128.0.0/9", "10.0.0.0/8", "11.0.0.0/8", "0.0.0.0/0", "::/0", "any", "group b"]
    some, made = rng.sample(remotes, 3), {}
    for _ in range(rng.randint(3, 6)):
        service = rng.choice(["tcp 80", "tcp 81", "tcp 82-83", "tcp 80-83", "tcp", "tcp 80,82", "all", "udp 80"])
        action = rng.choice(["allow", "allow", "deny"])
        rule = Rule.parse(f"in {action} {service} from {rng.choice(some)} priority {rng.choice([1, 1, 2])}")
        made[rule.key] = rule
    return tuple(made.values())


class Everything:
    """Every kind of packet that rules can tell apart, as the bits of a number; rules and lists as those they mean."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        rules = [*rules]
        ports, addresses = {1}, {(4, 0), (6, 0)}
        for rule in rules:
            if isinstance(rule.ports, PortSet):
                ports |= {edge for each in rule.ports.ranges for edge in (each.first, each.last + 1) if edge < 65536}
            if isinstance(rule.remote, Prefix):
                own = rule.remote.range
                ends = (own.first, own.last + 1)
                addresses |= {(int(own.family), each) for each in ends if each <= own.family.top}
        points = product(sorted(addresses), (6, 17, 47), sorted(ports), (False, True))
        self._points = [
            (version, protocol, port if protocol != 47 else 0, address, int(inside))
            for (version, address), protocol, port, inside in points
        ]
        self.all = (1 << len(self._points)) - 1

    def of(self, rule: Rule) -> int:
        """The packets that a rule matches."""
        return sum(1 << index for index, point in enumerate(self._points) if _matches(rule, point))

    def allowed(self, rules: Iterable[Rule], masks: Mapping[str, int]) -> int:
        """What a list allows, the strongest first, deny before allow."""
        found, left = 0, self.all
        for rule in sorted(rules, key=lambda it: (it.priority, it.action is Action.ALLOW)):
            hit = masks[rule.key] & left
            left ^= hit
            found |= hit if rule.action is Action.ALLOW else 0
        return found


def _matches(rule: Rule, point: Point) -> bool:
    version, protocol, port, address, inside = point
    if rule.protocol.number not in (None, protocol):
        return False
    assert isinstance(rule.ports, PortSet)
    if rule.ports.ranges and not any(each.first <= port <= each.last for each in rule.ports.ranges):
        return False
    if isinstance(rule.remote, GroupRemote):
        return bool(inside)
    if rule.remote is AnyRemote.ANY:
        return True
    assert isinstance(rule.remote, Prefix)
    return rule.remote.family == version and rule.remote.range.first <= address <= rule.remote.range.last


def fewest(world: World, rules: tuple[Rule, ...], profile: Profile) -> tuple[int, int, int] | None:
    """The price of the best set among all sets of some rules and what fits beside them; None if there are too many."""
    known = {rule.key: rule for rule in rules}
    for _ in range(4):
        new = proposals([*known.values()], (), profile)
        every = Everything((*known.values(), *new))
        masks = {rule.key: every.of(rule) for rule in (*known.values(), *new)}
        wanted = every.allowed(rules, masks)
        fitting = [rule for rule in new if every.allowed((*known.values(), rule), masks) == wanted]
        known |= {rule.key: rule for rule in fitting}
        if not fitting or len(known) > 12:
            break
    if len(known) > 12:
        return None
    prices = []
    for count in range(len(known) + 1):
        for some in combinations(known.values(), count):
            if every.allowed(some, masks) == wanted:
                cost = sum(rule_cost(rule, profile, world) for rule in some)
                prices.append((cost, count, sum(rule not in rules for rule in some)))
    return min(prices)


@pytest.mark.parametrize("profile", [HUAWEI, ALIBABA])
def test_nothing_smaller_says_the_same(profile: Profile) -> None:
    rng, compared, better = random.Random(7), 0, 0
    while compared < 60:
        rules = drawn(rng)
        group = SecurityGroup("a", tuple(sorted(rules, key=lambda rule: rule.key)))
        world = World(profile, groups=by_name([group, SecurityGroup("b")]))
        best = fewest(world, rules, profile)
        if best is None:
            continue
        made = tidied(world, group)
        assert made.minimal
        assert _price(made) == best, [str(rule) for rule in rules]
        compared, better = compared + 1, better + (made.cost_after < made.cost_before)
    assert better > 20


def _price(made: Tidied) -> tuple[int, int, int]:
    return made.cost_after, len(made.after.rules), len(made.come)


WORLD = """
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}}
groups:
  web:
    rules:
      - {id: r-80, direction: in, action: allow, protocol: tcp, ports: 80, remote: any, description: web}
      - {id: r-81, direction: in, action: allow, protocol: tcp, ports: 81, remote: any, description: also web}
      - in allow tcp 22 from 10.0.0.0/8 "people"
      - in allow tcp 22 from 10.0.1.0/24 managed dms
      - in allow tcp 22 from 10.0.2.0/24 disabled "later"
      - in allow tcp 22 from 10.0.3.0/24 priority 5
      - in deny udp 53 from any
  open: [in allow udp 53 from any priority 2]
  alone: [in deny udp 53 from any, in allow tcp 1 from any]
  theirs: {managed: nat, rules: [in deny tcp 1 from any]}
instances:
  x: {subnet: web, ip: 10.0.1.9, groups: [web, open]}
  y: {subnet: web, ip: 10.0.1.10, groups: [alone]}
"""


def test_what_stays_and_what_goes() -> None:
    world = parse(WORLD, "test.yaml")
    made = tidied(world, world.groups["web"])
    assert {str(rule) for rule in made.gone} == {
        'in allow tcp 80 from any priority 1 "web"',
        'in allow tcp 81 from any priority 1 "also web"',
        "in allow tcp 22 from 10.0.3.0/24 priority 5",
    }
    assert [(str(rule), rule.given_id) for rule in made.come] == [
        ('in allow tcp 80-81 from any priority 1 "web; also web"', "r-80")
    ]
    assert (made.cost_before, made.cost_after, made.limit, made.minimal) == (10, 7, 50, True)
    # A deny that the default says anyway goes only where no port has a group beside it that allows.
    assert [str(rule) for rule in tidied(world, world.groups["alone"]).gone] == ["in deny udp 53 from any priority 1"]
    with pytest.raises(Protected, match="belongs to nat"):
        tidied(world, world.groups["theirs"])


def test_a_difference_is_seen_by_the_proof() -> None:
    world = parse(WORLD, "test.yaml")
    group = world.groups["web"]
    for rule in group.rules:
        less = _but(group, rule)
        needless = not rule.enabled or str(rule.remote) in ("10.0.1.0/24", "10.0.3.0/24")
        assert says_the_same(world, group, less) is needless, str(rule)


def _but(group: SecurityGroup, *gone: Rule, by: Iterable[Rule] = ()) -> SecurityGroup:
    return replace(group, rules=(*(it for it in group.rules if it not in gone), *by))


def gains(world: World, group: SecurityGroup) -> Iterator[SecurityGroup]:
    """What must not say the same if none can be left out, nor take the place of its parts and count less."""
    own = [rule for rule in group.rules if rule.enabled and not rule.managed]
    yield from (_but(group, rule) for rule in own)
    profile = world.profile_of(group)
    for rule, parts in joints(own, set(group.rules) - set(own), profile):
        cost, *costs = (rule_cost(it, profile, world) for it in (rule, *parts))
        if (cost, 1) < (sum(costs), len(parts)):
            yield _but(group, *parts, by=[rule])


@pytest.mark.parametrize("profile", [HUAWEI, ALIBABA])
def test_what_is_too_much_to_prove_is_reduced_as_far_as_is_promised(profile: Profile) -> None:
    """Against every kind of packet there is."""
    rng, tried, joined = random.Random(5), 0, 0
    for _ in range(40):
        rules = {rule.key: rule for _ in range(rng.randint(1, 6)) for rule in drawn(rng)}
        group = SecurityGroup("a", tuple(rules.values()))
        world = World(profile, groups=by_name([group, SecurityGroup("b")]))
        made = tidied(world, group, effort=0)
        others = [*gains(world, made.after)]
        all_rules = {rule.key: rule for it in (group, made.after, *others) for rule in it.rules}
        every = Everything(all_rules.values())
        masks = {key: every.of(rule) for key, rule in all_rules.items()}
        wanted = every.allowed(group.rules, masks)
        assert not made.minimal
        assert every.allowed(made.after.rules, masks) == wanted
        assert not any(every.allowed(it.rules, masks) == wanted for it in others)
        tried, joined = tried + len(others), joined + len(made.come)
    assert tried > 200
    assert joined > 20


@pytest.mark.parametrize("seed", range(4))
def test_the_same_beside_other_groups(seed: int) -> None:
    """In all the lists of ports, with all that rules may say; equal meaning is found as by the algebra of sets."""
    rng, outcomes = random.Random(seed), set()
    world = random_world(rng, [HUAWEI, ALIBABA][seed % 2])
    pool = [rule for it in world.groups.values() for rule in it.rules]
    for name in rng.sample(sorted({name for port in world.ports for name in port.groups}), 3):
        some = [replace(it, priority=rng.randint(1, 3), nic=None) for it in rng.sample(pool, 12)]
        group = replace(world.groups[name], managed="", rules=tuple({rule.key: rule for rule in some}.values()))
        changed = world.edited(groups={name: group})
        made = tidied(changed, group, effort=0)
        assert agree_as_sets(changed, group, made.after)
        assert not any(agree_as_sets(changed, made.after, it) for it in gains(changed, made.after))
        for rule in group.rules:
            same = agree_as_sets(changed, group, _but(group, rule))
            assert says_the_same(changed, group, _but(group, rule)) is same
            assert says_the_same(changed, _but(group, rule), group) is same
            outcomes.add(same)
    assert outcomes == {True, False}


@pytest.mark.parametrize("shape", SHAPES)
def test_groups_of_many_shapes(shape: Callable[[random.Random], str]) -> None:
    world = world_of(shape, 40, edition=1)
    made = tidied(world, world.groups["crowded"], effort=0)
    assert made.cost_after < made.cost_before
    assert agree_as_sets(world, made.before, made.after)
    assert not any(agree_as_sets(world, made.after, it) for it in gains(world, made.after))


def test_what_was_not_tried_is_not_called_the_smallest() -> None:
    """Of so many rules not all sets are tried, even where neighbours are joined until there is one rule."""
    rules = tuple(Rule.parse(f"in allow tcp {port} from any") for port in range(1, 602))
    world = World(replace(HUAWEI, rules_per_group=9999), groups=by_name([SecurityGroup("a", rules)]))
    made = tidied(world, world.groups["a"])
    assert ([str(it) for it in made.after.rules], made.minimal) == (["in allow tcp 1-601 from any priority 1"], False)
