"""How changes of resources, and of who reaches whom, are shown to people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ringfence.cli.asking import counted
from ringfence.cli.output import console
from ringfence.cli.questions import MORE, services_told
from ringfence.cli.showing import cell

_SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "delete": ("-", "red")}
_TURNS = (("denied", "red", "denied now"), ("allowed", "green", "allowed now"))
_NAMES = 6
"""So many ends are named in one line."""
_SHOWN = 50
"""So many sets of flows are told to people one by one."""
Change = Mapping[str, Any]


def show_changes(changes: Iterable[Change]) -> None:
    """A line for each resource, and one for each field of it that changes."""
    out = console()
    for each in changes:
        sign, colour = _SIGNS[each["do"]]
        out.print(f"{sign} {each['kind'].replace('_', ' ')} {each['name']}", style=colour, soft_wrap=True)
        for line in _fields(each):
            out.print(f"    {line}", soft_wrap=True)


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
    if changes:
        show_turns(reached)
    _show_failing(told["expectations"])
    if changes:
        print(f"\n{counted(len(changes), 'resource')}: {summary(changes)}")


def _show_failing(expectations: Iterable[Mapping[str, Any]]) -> None:
    for each in expectations:
        by = each["decided_by"]
        who = by["group"] or by["stage"]
        print(f"expectation fails: {each['expect']}: it is {each['found']} by {who}: {by['text']}")


def show_foreseen(told: Mapping[str, Any]) -> None:
    """What a dry run says of who would reach whom, and of expectations that would not hold."""
    show_turns(told["reachability"])
    _show_failing(told["expectations"])


def show_turns(reached: Mapping[str, Any]) -> None:
    """The same as `show_reached` below a heading, which says so if nobody reaches anybody otherwise."""
    print("\nwho reaches whom:" if any(reached[key] for key, *_ in _TURNS) else "\nwho reaches whom: as before")
    show_reached(reached)


def show_reached(reached: Mapping[str, Any]) -> None:
    """Who reaches whom otherwise than before, as the API tells it: sets, each with a packet for example."""
    out, shown = console(), 0
    for key, colour, words in _TURNS:
        if reached[key]:
            out.print(f"{words}:", style=colour)
        for each in reached[key]:
            shown += 1
            if shown <= _SHOWN:
                out.print(f"  {_line(each)}", soft_wrap=True)
                out.print(f"      for example {each['example']}{_because(each)}", style="dim", soft_wrap=True)
    if shown > _SHOWN:
        print(f"… and {shown - _SHOWN} more; --json tells all")
    if reached["left_out"]:
        print(f"(and {reached['left_out']} more that the server did not tell: plan a smaller change to see them)")
    if reached["connections"]:
        print("connections that would be cut, if they live:")
    for each in reached["connections"][:_SHOWN]:
        out.print(f"  {_line(each)}", soft_wrap=True)
        held = f", and held for {each['hold']} s" if each["hold"] else ""
        out.print(f"      {each['because']}{held}", style="dim", soft_wrap=True)
    _note_short(line for key in ("denied", "allowed", "connections") for line in reached[key][:_SHOWN])


def _note_short(lines: Iterable[Mapping[str, Any]]) -> None:
    if any(services_told(each["services"]).endswith(MORE) for each in lines):
        print(f"{MORE} and more ports; --json tells all")


def _line(told: Mapping[str, Any]) -> str:
    ends = " -> ".join(_few(told[side]) for side in ("from", "to"))
    over = " over ipv6" if told["family"] == "ipv6" else ""
    return f"{ends}: {services_told(told['services'])}{over}"


def _because(told: Mapping[str, Any]) -> str:
    because = told["because"]
    owner = f"{because['group']}: " if because and because["group"] else ""
    return f", as {owner}{because['text']}" if because else ""


def _few(names: Sequence[str]) -> str:
    more = [f"{len(names) - _NAMES + 1} more"] if len(names) > _NAMES else []
    return ", ".join([*names[: _NAMES - len(more)], *more])


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
