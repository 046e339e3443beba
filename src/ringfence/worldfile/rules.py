"""Rules of a group, in the short form (a text) and in the long one (a mapping)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from yaml import ScalarNode

from ringfence.model.rule import Action, Direction, Remote, Rule, parse_remote
from ringfence.model.service import ALL_PORTS, PortSet, Protocol
from ringfence.worldfile.nodes import Cursor
from ringfence.worldfile.switches import number, truth

T = TypeVar("T")

_FORM = "a rule like: in allow tcp 80,443 from any"
_REMOTE = "any, a prefix, 'group NAME' or the name of an address group"
_KEYS = ("direction", "action", "protocol", "ports", "remote", "priority", "enabled", "description", "id")
_DIRECTIONS = {word: way for way in Direction for word in (way.word, way.value)}
_ACTIONS = {action.value: action for action in Action}


def read_rule(cursor: Cursor, priority: int) -> Rule | None:
    """One rule; ``priority`` is what it gets if it names none."""
    if cursor.is_mapping:
        return _read_long(cursor, priority)
    text = cursor.text(_FORM)
    if text is None:
        return None
    return cursor.noting(lambda: Rule.parse(text, default_priority=priority), _quoting_hint(cursor, text))


def _quoting_hint(cursor: Cursor, text: str) -> str:
    """What to add to a message when YAML itself may have cut the rule short."""
    if not isinstance(cursor.node, ScalarNode) or cursor.node.style:
        return ""
    if text.count('"') % 2:
        return "; YAML ends a text at ' #', so put a rule that holds one in single quotes"
    if cursor.flow and (text[:1].isdigit() or not re.search(r"\b(from|to)\b", text)):
        return "; inside [ ] YAML ends a text at each comma, so put a rule that holds one in quotes"
    return ""


def _read_long(cursor: Cursor, priority: int) -> Rule | None:
    fields = cursor.fields(_KEYS, "{direction: in, action: allow, protocol: tcp, ports: 80, remote: any}")
    direction = _needed(cursor, fields, "direction", "in or out", lambda each: each.choice(_DIRECTIONS))
    action = _needed(cursor, fields, "action", "allow or deny", lambda each: each.choice(_ACTIONS))
    remote = _read_remote(cursor.need(fields, "remote", _REMOTE))
    protocol = _given(fields, "protocol", lambda each: each.read(Protocol.parse, "a protocol"), Protocol.ALL)
    ports = _given(fields, "ports", _read_ports, ALL_PORTS)
    strength = _given(fields, "priority", lambda each: each.read(number(1, 100), "a number from 1 to 100"), priority)
    enabled = _given(fields, "enabled", lambda each: each.read(truth, "true or false"), True)
    description = _given(fields, "description", lambda each: each.text("a text"), "")
    given_id = _given(fields, "id", lambda each: each.text("an id"), "")
    if direction is None or action is None or remote is None or cursor.broken:
        return None
    make = partial(Rule, direction, action, protocol, remote, ports, strength, enabled, description, given_id)
    return cursor.noting(make)


def _needed(
    cursor: Cursor, fields: Mapping[str, Cursor], key: str, form: str, read: Callable[[Cursor], T | None]
) -> T | None:
    found = cursor.need(fields, key, form)
    return read(found) if found else None


def _given(fields: Mapping[str, Cursor], key: str, read: Callable[[Cursor], T | None], default: T) -> T:
    value = read(fields[key]) if key in fields else None
    return default if value is None else value


def _read_remote(cursor: Cursor | None) -> Remote | None:
    return cursor.read(parse_remote, _REMOTE) if cursor else None


def _read_ports(cursor: Cursor) -> PortSet | None:
    form = "80, 80-90 or a list of them"
    texts = [item.text(form) for item in cursor.items(form, one=True)]
    if None in texts:
        return None
    return cursor.noting(lambda: PortSet.parse(",".join(text for text in texts if text is not None)))
