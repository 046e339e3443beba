"""What belongs to a managed service, and a tenant may see but not edit (SEMANTICS.md 5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Rule
from ringfence.model.topology import Port
from ringfence.model.validation.problem import Path, Problem, Touched
from ringfence.model.world import World


def tenant_edit_problems(before: World, after: World, touched: Touched | None = None) -> tuple[Problem, ...]:
    """Every managed rule or group that the edit of a tenant adds, changes or removes; nothing if it may be made.

    A port that joins or leaves a managed group changes the group; one that goes for good does not. Paths lead into
    ``after``, as far as the thing is still there. Who knows what the edit ``touched`` need not compare the worlds.
    """
    groups = {*before.groups, *after.groups} if touched is None else touched.groups
    instances = after.instances.keys() if touched is None else touched.instances
    return (*_group_problems(before, after, groups), *_membership_problems(before, after, instances))


def _group_problems(before: World, after: World, groups: Set[str]) -> Iterator[Problem]:
    for name in sorted(groups):
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


def _membership_problems(before: World, after: World, instances: Set[str]) -> Iterator[Problem]:
    there = (after.instances[name] for name in sorted(instances) if name in after.instances)
    for port in (port for instance in there for port in sorted(instance.ports, key=lambda port: port.name)):
        old, new = _joined(before.port_by_name.get(str(port))), _joined(port)
        for name in sorted(old ^ new):
            if service := _service(name, after, before):
                path: Path = ("instances", port.instance, "ports", port.name, "groups")
                did = f"lets {port} {'join' if name in new else 'leave'} it"
                yield _refused(path, f"group {name} belongs to {service}", did)


def _service(group: str, *worlds: World) -> str:
    """The service that a group belongs to in the first of some worlds where it belongs to one."""
    return next((it.managed for world in worlds if (it := world.groups.get(group)) and it.managed), "")


def _joined(port: Port | None) -> frozenset[str]:
    return frozenset(port.groups) if port else frozenset()


def _did(old: object, new: object) -> str:
    return "adds it" if old is None else "removes it" if new is None else "changes it"


def _refused(path: Path, whose: str, did: str) -> Problem:
    code = "InvalidOperation.ResourceManagedByCloudProduct"
    return Problem(path, code, f"{whose}, and the edit {did}", "leave it as it is: only the service may change it")
