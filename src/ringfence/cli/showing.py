"""How resources are shown to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ringfence.cli.output import console, print_table, table_of
from ringfence.resources.kind import Kind

_COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    Kind.VPC: ("cidrs", "profile", "network"),
    Kind.SUBNET: ("vpc", "cidr", "cidr6", "acl"),
    Kind.GROUP: ("vpc", "type", "intra_group", "managed"),
    Kind.RULE: ("group", "rule"),
    Kind.ADDRESS_GROUP: ("family", "entries"),
    Kind.PORT_LIST: ("entries", "max_entries"),
    Kind.ACL: ("vpc", "enabled", "rules"),
    Kind.ACL_LINE: ("rule",),
    Kind.ACL_POLICY: ("rules", "ingress_of", "egress_of"),
    Kind.PEERING: ("vpcs", "firewall"),
    Kind.INSTANCE: ("serve",),
    Kind.PORT: ("instance", "subnet", "addresses", "groups"),
    Kind.VIRTUAL_IP: ("subnet", "addresses", "ports", "active"),
    Kind.PENALTY: ("instance", "port", "reason"),
    Kind.OUTSIDE_HOST: ("addresses",),
    Kind.EXPECTATION: ("expect",),
    Kind.SETTINGS: ("profile", "switches"),
    Kind.ACCOUNT: ("operator", "created"),
    Kind.USER: ("policies", "enabled", "created"),
    Kind.ACCESS_KEY: ("user", "enabled", "created"),
    Kind.POLICY: ("created",),
    Kind.QUOTA: ("target", "limits"),
}
"""The fields that a list shows of each kind, besides id, name, description and tags."""
_SHOWN = 3
"""So many items of a list are shown in one cell."""

_WIDE = 1000  # characters: programs that read lines get each row as one
Item = Mapping[str, Any]


def show_items(kind: Kind, items: Sequence[Item]) -> None:
    """A table of resources of one kind."""
    if not items:
        print(f"no {kind.words}s" if kind is not Kind.PENALTY else "no penalties")
        return
    named = ("name",) if any(it["name"] not in ("", it["id"]) for it in items) else ()
    seen = tuple(name for name in ("tags", "description") if any(it[name] for it in items))
    show_table(("id", *named, *_COLUMNS[kind], *seen), items)


def show_table(columns: Sequence[str], rows: Iterable[Item]) -> None:
    """A table of some members of objects."""
    table = table_of(*(column.replace("_", " ") for column in columns), overflow="fold")
    for row in rows:
        table.add_row(*(cell(row.get(column)) for column in columns))
    out = console()
    out.width = out.width if out.is_terminal else _WIDE
    print_table(table, out)


def show_item(item: Item) -> None:
    """One resource, a line each field; what is empty is left out."""
    shown = {name: value for name, value in item.items() if value not in ("", None, [], {})}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        lines = _lines(value)
        print(f"{name.replace('_', ' '):{width}}  {lines[0]}")
        for line in lines[1:]:
            print(f"{'':{width}}  {line}")


def _lines(value: Any) -> list[str]:
    if isinstance(value, list):
        return [cell(each) for each in value]
    return [cell(value)]


def cell(value: Any) -> str:
    """A value in a few words."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            rest = len(value) - _SHOWN
            return ", ".join(map(cell, value[:_SHOWN])) + (f" … and {rest} more" if rest > 0 else "")
        case dict():
            return ", ".join(f"{key}={cell(each)}" for key, each in value.items())
    return str(value)


def show_secret(answer: Item) -> None:
    """An access key that was just made: its secret is told only now."""
    print("Its secret is told only now:")
    print(f"  export RINGFENCE_ACCESS_KEY_ID={answer['item']['id']}")
    print(f"  export RINGFENCE_ACCESS_KEY_SECRET={answer['secret']}")
