"""What would have to change so that an account has what a world file says: resource by resource.

Things are matched by kind and name, subnets within their VPC, ports within their instance, rules by what they say,
expectations by their text, penalties by whom they hit. Left alone is what a world file cannot say, what is another
account's, and what the file does not speak of though it is not the caller's to remove: content of managed services,
default groups, and the blocks of the platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ringfence.control.basic import TAGS
from ringfence.control.caller import Caller
from ringfence.control.checks import check, service_of
from ringfence.control.declared import Declared
from ringfence.control.kinds import OPERATORS_ONLY
from ringfence.control.naming import Naming
from ringfence.control.there import SETTINGS, Slot, There
from ringfence.control.view import View
from ringfence.control.wanted import Wanted
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.model.group import DEFAULT_GROUP, SecurityGroup
from ringfence.model.world import World
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource, ResourceChange, common_problems, refuse
from ringfence.resources.state import State
from ringfence.resources.values import Machine, RuleOf

_ORDER = {
    kind: number
    for number, kind in enumerate(
        (
            *(Kind.SETTINGS, Kind.VPC, Kind.ADDRESS_GROUP, Kind.PORT_LIST, Kind.ACL, Kind.SUBNET, Kind.PEERING),
            *(Kind.GROUP, Kind.RULE, Kind.INSTANCE, Kind.PORT, Kind.VIRTUAL_IP, Kind.PENALTY, Kind.OUTSIDE_HOST),
            Kind.EXPECTATION,
        )
    )
}
"""What is referred to comes before what refers to it."""


@dataclass(frozen=True)
class Plan:
    """The changes in an order in which each could be made by itself, and the states around them."""

    before: State
    after: State
    changes: tuple[ResourceChange, ...]
    account: str

    @cached_property
    def views(self) -> tuple[View, View]:
        """What the account sees before and after."""
        return View(self.before, self.account), View(self.after, self.account)


def plan(state: State, caller: Caller, wanted: World, at: str) -> Plan:
    """What an account would have to change to have what a world file says; ``at`` is when.

    Raises `InvalidFields` for what the service would not take, and what `ringfence.control.checks` says of the result.
    """
    changes = _Planner(Wanted(state, caller, wanted), There(state, caller.account), at).changes()
    after = state.after(state.revision + bool(changes), changes)
    try:
        check(state, after, changes, caller)
    except InvalidFields as error:
        raise InvalidFields(tuple(_in_names(error, Naming(after, caller.account)))) from None
    return Plan(state, after, changes, caller.account)


def _in_names(error: InvalidFields, naming: Naming) -> Iterator[FieldProblem]:
    """What is wrong, in the names of the file."""
    for it in error.problems:
        field = ".".join(map(naming.words, it.field.split(".")))
        yield replace(it, field=field, what=naming.words(it.what), right=naming.words(it.right))


@dataclass(frozen=True)
class _Planner:
    """Compares what there is with what there is to be."""

    wanted: Wanted
    there: There
    at: str

    def changes(self) -> tuple[ResourceChange, ...]:
        """The changes in their order."""
        wanted = dict(Declared(self.wanted, self.there, self.at).resources())
        made = [change for slot, it in wanted.items() for change in self._changes_at(slot, it)]
        gone = [
            ResourceChange(it, None)
            for slot, it in self.there.by_slot.items()
            if slot not in wanted and slot != SETTINGS and not self._is_left_alone(it)
        ]
        come = [change for change in made if change.after]
        gone += [change for change in made if not change.after]
        come.sort(key=lambda change: (_ORDER[change.key.kind], change.before is not None))
        gone.sort(key=lambda change: -_ORDER[change.key.kind])
        return (*come, *gone)

    def _changes_at(self, slot: Slot, wanted: Resource) -> Iterator[ResourceChange]:
        there = self.there.by_slot.get(slot)
        if there is None or there.id != wanted.id:
            yield ResourceChange(None, wanted)
        elif there != wanted:
            refuse(common_problems({"description": wanted.description, "tags": wanted.tags}, TAGS))
            refuse(_fixed_problems(there, wanted))
            yield ResourceChange(there, wanted)
        if there is not None and there.id != wanted.id:
            yield ResourceChange(there, None)

    def _is_left_alone(self, resource: Resource) -> bool:
        """Whether what the file does not speak of stays nevertheless."""
        value = resource.value
        if (service := service_of(resource)) and service != self.wanted.caller.service:
            return True
        if resource.kind in OPERATORS_ONLY and not self.wanted.caller.operator:
            return True
        if isinstance(value, RuleOf):
            group = self.wanted.state.get(Kind.GROUP, value.group)
            return group is not None and value.group not in self.wanted.in_ids.groups and self._is_left_alone(group)
        if isinstance(value, Machine):
            return resource.id not in self.wanted.state.world.instances
        if isinstance(value, SecurityGroup) and resource.name == DEFAULT_GROUP:
            replaced = self.wanted.naming.called("groups", resource.id) in self.wanted.world.groups
            return not replaced and (not value.vpc or value.vpc in self.wanted.in_ids.vpcs)
        return False


def _fixed_problems(old: Resource, new: Resource) -> Iterator[FieldProblem]:
    """What cannot be changed of VPCs and subnets, which are not replaced: too much is in them."""
    if old.kind in (Kind.VPC, Kind.SUBNET):
        before, after = old.form.show(old.value), new.form.show(new.value)
        for each in old.form.fields:
            if each.fixed and before[each.name] != after[each.name]:
                what = f"{each.name} of a {old.kind.words} cannot be changed"
                right = f"it is {before[each.name]!r}: make another one, under another name"
                field = f"{old.form.plural}.{old.name or old.id}.{each.name}"
                yield FieldProblem(field, what, right, "input.fixed_field", after[each.name])
