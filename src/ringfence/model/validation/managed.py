"""What belongs to a managed service, and a tenant may see but not edit (SEMANTICS.md 5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Rule
from ringfence.model.topology import Port
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.world import World


def tenant_edit_problems(before: World, after: World) -> tuple[Problem, ...]:
    """Every managed rule or group that the edit of a tenant adds, changes or removes; nothing if it may be made.

    A port that joins or leaves a managed group changes the group; one that goes for good does not. Paths lead into
    ``after``, as far as the thing is still there.
    """
    return (*_group_problems(before, after), *_membership_problems(before, after))


def _group_problems(before: World, after: World) -> Iterator[Problem]:
    for name in sorted({*before.groups, *after.groups}):
        old, new = before.groups.get(name), after.groups.get(name)
        service = next((group.managed for group in (old, new) if group and group.managed), "")
        if service and old != new:
            yield _refused(("groups", name), f"group {name} belongs to {service}", _did(old, new))
        elif not service:
            yield from _rule_problems(name, _by_id(old), _by_id(new), new.rules if new else ())


def _by_id(group: SecurityGroup | None) -> Mapping[str, Rule]:
    return group.by_id if group else {}


def _rule_problems(
    group: str, old: Mapping[str, Rule], new: Mapping[str, Rule], order: tuple[Rule, ...]
) -> Iterator[Problem]:
    for rule_id in sorted({*old, *new}):
        was, now = old.get(rule_id), new.get(rule_id)
        owned = next((rule for rule in (was, now) if rule and rule.managed), None)
        if owned and was != now:
            place = ("rules", order.index(now)) if now else ()
            whose = f"rule {rule_id} of group {group} ({owned.key}) belongs to {owned.managed}"
            yield _refused(("groups", group, *place), whose, _did(was, now))


def _membership_problems(before: World, after: World) -> Iterator[Problem]:
    managed = {name: group for world in (before, after) for name, group in world.groups.items() if group.managed}
    for port in after.ports:
        old, new = _joined(before.port_by_name.get(str(port))), _joined(port)
        for name in sorted((old ^ new) & managed.keys()):
            path: Path = ("instances", port.instance, "ports", port.name, "groups")
            did = f"lets {port} {'join' if name in new else 'leave'} it"
            yield _refused(path, f"group {name} belongs to {managed[name].managed}", did)


def _joined(port: Port | None) -> frozenset[str]:
    return frozenset(port.groups) if port else frozenset()


def _did(old: object, new: object) -> str:
    return "adds it" if old is None else "removes it" if new is None else "changes it"


def _refused(path: Path, whose: str, did: str) -> Problem:
    code = "InvalidOperation.ResourceManagedByCloudProduct"
    return Problem(path, code, f"{whose}, and the edit {did}", "leave it as it is: only the service may change it")
