"""Names for what the clouds know by ids: what people call it where that is one thing's alone, else with its id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from ringfence.errors import NotationError
from ringfence.importing.draft import Draft
from ringfence.importing.report import Kind, Report
from ringfence.model.names import check_name
from ringfence.model.renaming import renamed
from ringfence.model.rule import AddressGroupRemote, Rule, parse_remote
from ringfence.model.world import World, by_name

_LONGEST = 128


def with_names(world: World, draft: Draft, ports: Mapping[str, str]) -> World:
    """The world in names, and the report told of each that is not the id. ``ports``: by interfaces' ids."""
    report = draft.report
    machines: dict[str, str] = {}
    for each in draft.interfaces.values():
        machines[each.machine] = machines.get(each.machine) or each.label
    names = {
        "vpcs": _told(report, Kind.VPCS, {id_: draft.vpcs[id_].label for id_ in world.vpcs}, "vpc"),
        "groups": _told(report, Kind.GROUPS, {id_: draft.groups[id_].label for id_ in world.groups}, "group"),
        "address_groups": _told(
            report, Kind.ADDRESS_GROUPS, {id_: draft.lists[id_].label for id_ in world.address_groups}, "list", _is_list
        ),
        "acls": _told(report, Kind.ACLS, {id_: draft.acls[id_].label for id_ in world.acls}, "acl"),
        "peerings": _told(report, Kind.PEERINGS, dict.fromkeys(world.peerings, ""), "peering"),
        "subnets": _subnets(world, draft),
        "instances": _told(report, Kind.INSTANCES, {id_: machines[id_] for id_ in world.instances}, "machine", _is_end),
    }
    for id_, known in draft.aliases.items():
        told = names["subnets"].items()
        report.names += [(Kind.SUBNETS, id_, name) for full, name in told if full.endswith(f"/{known}")]
    for id_, port in ports.items():
        machine, _, name = port.partition(".")
        if machine in world.instances and name in world.instances[machine].by_name:
            report.names.append((Kind.INTERFACES, id_, f"{names['instances'][machine]}.{name}"))
    return _in_order(renamed(world, names))


def _in_order(world: World) -> World:
    """Rules and entries in the order that a world file gives them, in which it means nothing."""
    groups = (replace(each, rules=tuple(sorted(each.rules, key=_key))) for each in world.groups.values())
    lists = (replace(each, entries=tuple(sorted(each.entries))) for each in world.address_groups.values())
    return replace(world, groups=by_name(groups), address_groups=by_name(lists))


def _key(rule: Rule) -> str:
    return rule.key


def _subnets(world: World, draft: Draft) -> dict[str, str]:
    found: dict[str, str] = {}
    for vpc in world.vpcs.values():
        labels = {id_: draft.subnets[id_].label for id_ in vpc.subnets}
        names = _told(draft.report, Kind.SUBNETS, labels, "subnet")
        found |= {f"{vpc.name}/{id_}": name for id_, name in names.items()}
    return found


def _told(
    report: Report, kind: Kind, labels: Mapping[str, str], word: str, fits: Callable[[str], bool] | None = None
) -> dict[str, str]:
    names = _chosen(labels, word, fits or _is_name)
    report.names += [(kind, id_, name) for id_, name in names.items() if id_ != name]
    return names


def _chosen(labels: Mapping[str, str], word: str, fits: Callable[[str], bool]) -> dict[str, str]:
    """A name for each id, no two the same."""
    shared = Counter(_fit(label) for label in labels.values())
    used: set[str] = set()
    found: dict[str, str] = {}
    for id_, label in labels.items():
        short, own = _fit(label), _fit(id_)
        wanted = [short] if short and shared[short] == 1 else [f"{short}-{own}"] if short else []
        plain = [*wanted, own, f"{word}-{own}", *(f"{word}-{number}" for number in range(len(used), 2 * len(used) + 2))]
        dotless = [name.replace(".", "-") for name in plain]
        choice = next(name for name in (*plain, *dotless) if fits(name) and name not in used)
        used.add(choice)
        found[id_] = choice
    return found


def _fit(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:_LONGEST].strip("-.")


def _is_name(text: str) -> bool:
    return _passes(lambda: check_name(text))


def _is_end(text: str) -> bool:
    return _passes(lambda: check_name(text, dots=False))


def _is_list(text: str) -> bool:
    return _passes(lambda: check_name(text)) and _passes(lambda: isinstance(parse_remote(text), AddressGroupRemote))


def _passes(check: Callable[[], object]) -> bool:
    try:
        return bool(check())
    except NotationError:
        return False
