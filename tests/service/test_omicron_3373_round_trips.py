"""omicron#3373: disabled and enabled again, a rule with an empty filter meant something else.

Here to disable and to enable is to have done nothing, whatever the thing says; so is to empty and to refill; what is
shown can be said again; and what is empty, null or left out means the same everywhere: a filter everything, a list of
addresses, rules or policies nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from ringfence.control import basic
from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.identity import From, Identities
from ringfence.errors import Forbidden, InvalidFields, NotAuthenticated
from ringfence.model.address import Family
from ringfence.model.world import World
from ringfence.policy.evaluate import evaluate
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from tests.policy.build import ask
from tests.service.histories import OPERATOR, History, closed, opened
from tests.service.plain import Step
from tests.service.requests import Requests, beginning

ME = OPERATOR


def changed(control: Control, kind: Kind, id_: str, said: Mapping[str, Any]) -> None:
    with control.change(ME, "Update") as draft:
        basic.update(draft, kind, id_, said)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Control, Identities]]:
    """A service after a history, with every port in a network whose rules allow something."""
    directory: Path = tmp_path_factory.mktemp("grown")
    control, identities = opened(directory)
    chance = random.Random(7)
    history = History(control)
    history.request(beginning(chance))
    for _ in range(40):
        history.request(Requests(chance).next(history.plain))
    for step in (
        Step("create", "address_group", said={"name": "office", "entries": ["203.0.113.0/24", "10.2.1.0/24"]}),
        Step("create", "group", said={"name": "open", "template": "default"}),
        Step("create", "subnet", said={"name": "late", "vpc": "n", "cidr": "10.1.77.0/24"}),
        Step("create", "acl", said={"name": "guard", "rules": ["in allow all from any to any"]}),
        Step("create", "instance", said={"name": "here", "ports": [{"subnet": "late", "groups": ["open"]}]}),
        Step("create", "instance", said={"name": "there", "ports": [{"subnet": "n1", "groups": ["open"]}]}),
        Step("create", "rule", said={"group": "open", "direction": "ingress", "remote": "office", "protocol": "udp"}),
        Step("update", "subnet", "late", {"acl": "guard"}),
    ):
        history.request([step])
    assert history.control.state.get(Kind.INSTANCE, "there")
    yield control, identities
    closed(control)


def verdicts(world: World) -> list[str]:
    """What becomes of flows between everybody."""
    ends = [*sorted(world.instances), *sorted(world.outside)]
    flows = [f"{one} -> {two} {what}" for one, two in permutations(ends, 2) for what in ("tcp/80", "udp/7", "icmp")]
    return [f"{flow} {evaluate(world, ask(world, flow, Family.IPV4)).allowed}" for flow in flows]


def switches(control: Control) -> Iterator[tuple[Resource, Mapping[str, Any], Mapping[str, Any]]]:
    """What can be switched off or emptied, and how that is taken back."""
    state = control.state
    for kind in (Kind.RULE, Kind.ACL):
        for each in state.owned(ME.account, kind):
            was = each.shown()["enabled"]
            yield each, {"enabled": not was}, {"enabled": was}
    for each in state.owned(ME.account, Kind.ADDRESS_GROUP):
        was = each.shown()
        yield each, {"entries": []}, {"entries": was["entries"], "remarks": was["remarks"]}
    for each in state.owned(ME.account, Kind.ACL):
        yield each, {"rules": []}, {"rules": each.shown()["rules"]}


def test_off_and_on_again_is_nothing(grown: tuple[Control, Identities]) -> None:
    """For every rule, ACL and address group; and many of them matter while they are off."""
    control, _ = grown
    before, wanted, mattered = control.state, verdicts(control.state.world), 0
    for each, off, on in [*switches(control)]:
        changed(control, each.kind, each.id, off)
        mattered += verdicts(control.state.world) != wanted
        changed(control, each.kind, each.id, on)
        assert control.state.resources == before.resources, each.key
        assert control.state.world == before.world, each.key
    assert verdicts(control.state.world) == wanted
    assert mattered > 2


def test_what_is_shown_can_be_said_again(grown: tuple[Control, Identities]) -> None:
    """Every field of every thing, as it is told, is taken and changes nothing: no revision comes of it."""
    control, _ = grown
    state = control.state
    for key, each in state.resources.items():
        if each.account == ME.account and key.kind is not Kind.ACCESS_KEY:
            told = each.shown()
            own = {field.name: told[field.name] for field in each.form.open_fields}
            common = {name: told[name] for name in basic.GIVEN}
            changed(control, key.kind, key.id, own | common)
    assert control.state is state


EMPTY: Mapping[str, tuple[Any, ...]] = {
    "ports": ("", None),
    "source_ports": ("", None),
    "remote": ("", None, "any"),
    "local": ("", None, "any"),
    "protocol": ("", None, "all"),
    "managed": ("", None),
}


@pytest.mark.parametrize("field", EMPTY)
def test_an_empty_filter_is_no_filter(grown: tuple[Control, Identities], field: str) -> None:
    """Left out, empty and null are the same rule; and an update to them is what was there when it was made so."""
    control, _ = grown
    said = {"group": "open", "direction": "egress", "action": "deny", "priority": 77}
    values = []
    for value in EMPTY[field]:
        with control.change(ME, "Try", dry_run=True) as draft:
            plain = basic.create(draft, Kind.RULE, said)
            empty = basic.create(draft, Kind.RULE, said | {field: value})
            values.append((_said(plain), _said(empty)))
            narrow = basic.create(draft, Kind.RULE, said | {"protocol": "tcp", "ports": "80", "remote": "10.1.1.0/24"})
            if field not in ("managed", "protocol"):
                wide = basic.update(draft, Kind.RULE, narrow.id, {field: value})
                assert _said(wide)[field] == _said(plain)[field]
            for each in (empty, narrow):
                draft.remove(ram.REVOKE_SECURITY_GROUP_EGRESS, each)
    assert all(plain == empty for plain, empty in values)


def _said(rule: Resource) -> dict[str, Any]:
    return {name: value for name, value in rule.shown().items() if name not in ("id", "created")}


def test_an_empty_list_is_nothing(grown: tuple[Control, Identities]) -> None:
    """An address group without entries matches nobody, an ACL without rules lets nothing in: as if it were off."""
    control, _ = grown
    named = next(it for it in control.state.owned(ME.account, Kind.RULE) if it.shown()["remote"] == "office")
    full = verdicts(control.state.world)
    assert "there -> here tcp/80 True" in full
    changed(control, Kind.ADDRESS_GROUP, "office", {"entries": []})
    emptied = verdicts(control.state.world)
    assert emptied != full
    changed(control, Kind.RULE, named.id, {"enabled": False})
    assert verdicts(control.state.world) == emptied
    changed(control, Kind.RULE, named.id, {"enabled": True})
    changed(control, Kind.ADDRESS_GROUP, "office", {"entries": ["203.0.113.0/24", "10.2.1.0/24"]})
    for said in ({"enabled": False}, {"enabled": True, "rules": []}):
        changed(control, Kind.ACL, "guard", said)
        assert not any(line.endswith("True") for line in verdicts(control.state.world) if " here " in f" {line}")
    changed(control, Kind.ACL, "guard", {"rules": ["in allow all from any to any"]})
    with pytest.raises(InvalidFields) as raised:
        changed(control, Kind.PORT, "here.eth0", {"groups": []})
    assert {problem.code for problem in raised.value.problems} == {"world.no_group"}


def test_a_user_and_a_key_may_afterwards_what_they_might_before(grown: tuple[Control, Identities]) -> None:
    """Off, they are nobody; without policies a user may do nothing, and with them again what they allow."""
    control, identities = grown
    document = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}'
    with control.change(ME, "Make") as draft:
        basic.create(draft, Kind.POLICY, {"name": "all", "document": document})
        basic.create(draft, Kind.USER, {"name": "ann", "policies": ["all"]})
        key, _ = identities.create_key(draft, "ann")
    before = control.state
    assert _may(control, identities, key.id) == "allowed"
    for kind, id_, off, on, then in (
        (Kind.USER, "ann", {"enabled": False}, {"enabled": True}, "unknown"),
        (Kind.ACCESS_KEY, key.id, {"enabled": False}, {"enabled": True}, "unknown"),
        (Kind.USER, "ann", {"policies": []}, {"policies": ["all"]}, "forbidden"),
    ):
        changed(control, kind, id_, off)
        assert _may(control, identities, key.id) == then
        changed(control, kind, id_, on)
        assert _may(control, identities, key.id) == "allowed"
        assert control.state.resources == before.resources


def _may(control: Control, identities: Identities, key: str) -> str:
    """What becomes of somebody with a key who wants to change a group."""
    try:
        caller: Caller = identities.by_key(key, From("127.0.0.1"))
        with control.change(caller, "Try", dry_run=True) as draft:
            basic.update(draft, Kind.GROUP, "open", {"description": "tried"})
    except NotAuthenticated:
        return "unknown"
    except Forbidden:
        return "forbidden"
    return "allowed"
