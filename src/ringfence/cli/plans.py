"""How changes of resources, and of who reaches whom, are shown to people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from ringfence.cli.asking import counted
from ringfence.cli.output import console
from ringfence.cli.showing import cell

_SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "delete": ("-", "red")}
_TURNS = (("denied", "denied now"), ("allowed", "allowed now"))
_NAMES = 6
"""So many ends are named in one line."""
_SHOWN = 50
"""So many flows are told to people one by one."""
Change = Mapping[str, Any]


def show_changes(changes: Iterable[Change]) -> None:
    """A line for each resource, and one for each field of it that changes."""
    out = console()
    for each in changes:
        sign, colour = _SIGNS[each["do"]]
        out.print(Text(f"{sign} {each['kind'].replace('_', ' ')} {each['name']}", style=colour), soft_wrap=True)
        for line in _fields(each):
            out.print(Text(f"    {line}"), soft_wrap=True)


def _fields(change: Change) -> Iterator[str]:
    for name, value in change["fields"].items():
        if change["do"] == "change":
            yield f"{name.replace('_', ' ')}: {_full(value.get('before'))} -> {_full(value.get('after'))}"


def _full(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(cell, value))}]"
    return cell(value) or "nothing"


def summary(changes: Sequence[Change]) -> str:
    """How many of what."""
    counts = {do: sum(each["do"] == do for each in changes) for do in _SIGNS}
    words = {"create": "created", "change": "changed", "delete": "deleted"}
    return ", ".join(f"{counts[do]} {word}" for do, word in words.items() if counts[do]) or "nothing to change"


def show_plan(told: Mapping[str, Any]) -> None:
    """What a plan says: resources, who reaches whom, and expectations that would not hold."""
    changes, reached = told["changes"], told["reachability"]
    if not changes:
        print("nothing to change")
    show_changes(changes)
    flows = [f"{words}: {told_flow(each)}" for key, words in _TURNS for each in reached[key]]
    _show_flows(flows, changed=bool(changes))
    for each in told["expectations"]:
        by = each["decided_by"]
        print(
            f"expectation fails: {each['expect']}: it is {each['found']} by {by['group'] or by['stage']}: {by['text']}"
        )
    if changes:
        print(f"\n{counted(len(changes), 'resource')}: {summary(changes)}")


def told_flow(told: Mapping[str, Any]) -> str:
    """A change of who reaches whom, as the API tells it, in one line."""
    ends = " -> ".join(_few(told[side]) for side in ("from", "to"))
    over = " over ipv6" if told["family"] == "ipv6" else ""
    because = told["because"]
    owner = f"{because['group']}: " if because and because["group"] else ""
    why = f" ({owner}{because['text']})" if because else ""
    return f"{ends}: {'; '.join(told['services'])}{over}{why}"


def _few(names: Sequence[str]) -> str:
    more = [f"{len(names) - _NAMES + 1} more"] if len(names) > _NAMES else []
    return ", ".join([*names[: _NAMES - len(more)], *more])


def _show_flows(flows: Sequence[str], *, changed: bool) -> None:
    if not changed:
        return
    print("\nwho reaches whom:" if flows else "\nwho reaches whom: as before")
    for each in flows[:_SHOWN]:
        print(f"  {each}")
    if len(flows) > _SHOWN:
        print(f"  … and {len(flows) - _SHOWN} more; --json tells all")


def as_change(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Change:
    """A change as plans tell it, of a resource before and after."""
    item = after or before or {}
    old, new = before or {}, after or {}
    fields = {
        name: {"before": old.get(name), "after": new.get(name)}
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    }
    do = "change" if before and after else "create" if after else "delete"
    named = f"{item['id']} ({item['name']})" if item["name"] not in ("", item["id"]) else item["id"]
    said = next((f": {item[key]}" for key in ("rule", "expect") if key in item), "")
    return {"do": do, "kind": item["kind"], "name": f"{named}{said}", "fields": fields}
