"""Rules of groups, and lines of ACLs and firewalls, in the short form (a text) and in the long one (a mapping)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from yaml import ScalarNode

from ringfence.errors import NotationError
from ringfence.model.acl import AclRule, Side, parse_side
from ringfence.model.address import Prefix
from ringfence.model.names import check_name
from ringfence.model.port_list import RulePorts, parse_ports
from ringfence.model.rule import Action, AnyRemote, Direction, NicType, Remote, Rule, parse_remote
from ringfence.model.service import ALL_PORTS, PortSet, Protocol
from ringfence.model.validation import Path
from ringfence.worldfile.nodes import Cursor, given
from ringfence.worldfile.switches import number, truth

T = TypeVar("T")
Fields = Mapping[str, Cursor]

_FORM = "a rule like: in allow tcp 80,443 from any"
_LONG_FORM = "{direction: in, action: allow, protocol: tcp, ports: 80, remote: any}"
_LINE_FORM = "a rule like: in allow tcp 80,443 from any to any"
_LONG_LINE_FORM = "{direction: in, action: allow, protocol: tcp, ports: 80, source: any, destination: any}"
_REMOTE = "any, a prefix, 'group NAME' or the name of an address group"
_SIDE = "any, a prefix or the name of an address group"
_COMMON_KEYS = ("direction", "action", "protocol", "ports", "source_ports", "enabled", "description", "id")
_KEYS = (*_COMMON_KEYS, "remote", "local", "nic", "priority", "managed")
_LINE_KEYS = (*_COMMON_KEYS, "source", "destination", "name")
_DIRECTIONS = {word: way for way in Direction for word in (way.word, way.value)}
_ACTIONS = {action.value: action for action in Action}
_NICS = {nic.value: nic for nic in NicType}
_ANY: Remote = AnyRemote.ANY
_ALL_PORTS: RulePorts = ALL_PORTS
_ANY_SIDE: Side = AnyRemote.ANY


def read_rule(cursor: Cursor, priority: int) -> Rule | None:
    """One rule of a group; ``priority`` is what it gets if it names none."""
    if cursor.is_mapping:
        return _read_long_rule(cursor, priority)
    return _read_short(cursor, _FORM, partial(Rule.parse, default_priority=priority))


def read_lines(cursor: Cursor, path: Path) -> tuple[AclRule, ...]:
    """The lines of an ACL or a firewall in their order; they stand at ``path``, numbered."""
    items = cursor.items(f"a list of rules like: - {_LINE_FORM.partition(': ')[2]}")
    known = [(line, item.mark) for item in items if (line := read_line(item))]
    for index, (_, mark) in enumerate(known):
        cursor.notes.place((*path, index), mark)
    return tuple(line for line, _ in known)


def read_line(cursor: Cursor) -> AclRule | None:
    """One line of an ACL or a firewall."""
    if cursor.is_mapping:
        return _read_long_line(cursor)
    return _read_short(cursor, _LINE_FORM, AclRule.parse)


def _read_short(cursor: Cursor, form: str, parse: Callable[[str], T]) -> T | None:
    text = cursor.text(form)
    return None if text is None else cursor.noting(lambda: parse(text), _quoting_hint(cursor, text))


def _quoting_hint(cursor: Cursor, text: str) -> str:
    """What to add to a message when YAML itself may have cut the rule short."""
    if not isinstance(cursor.node, ScalarNode) or cursor.node.style:
        return ""
    if text.count('"') % 2:
        return "; YAML ends a text at ' #', so put a rule that holds one in single quotes"
    if cursor.flow and (text[:1].isdigit() or not re.search(r"\b(from|to)\b", text)):
        return "; inside [ ] YAML ends a text at each comma, so put a rule that holds one in quotes"
    return ""


def _read_long_rule(cursor: Cursor, priority: int) -> Rule | None:
    fields = cursor.fields(_KEYS, _LONG_FORM)
    direction = _needed(cursor, fields, "direction", "in or out", lambda each: each.choice(_DIRECTIONS))
    action = _needed(cursor, fields, "action", "allow or deny", lambda each: each.choice(_ACTIONS))
    remote = _read_remote(cursor.need(fields, "remote", _REMOTE))
    own = given(fields, "local", lambda each: each.read(_own_side, "any or a prefix"), _ANY)
    rest: dict[str, Any] = _common(fields) | {
        "ports": given(fields, "ports", _read_rule_ports, _ALL_PORTS),
        "priority": given(fields, "priority", lambda it: it.read(number(1, 100), "a number from 1 to 100"), priority),
        "local": own if isinstance(own, Prefix) else None,
        "nic": given(fields, "nic", lambda each: each.choice(_NICS), None),
        "managed": given(fields, "managed", lambda each: each.read(check_name, "the name of a service"), ""),
    }
    if direction is None or action is None or remote is None or cursor.broken:
        return None
    return cursor.noting(lambda: Rule(direction, action, remote=remote, **rest))


def _read_remote(cursor: Cursor | None) -> Remote | None:
    return cursor.read(parse_remote, _REMOTE) if cursor else None


def _own_side(text: str) -> Remote:
    side = parse_remote(text)
    if isinstance(side, AnyRemote | Prefix):
        return side
    raise NotationError(f"{text!r} cannot stand for the port's own side", "use any or a prefix")


def _read_long_line(cursor: Cursor) -> AclRule | None:
    fields = cursor.fields(_LINE_KEYS, _LONG_LINE_FORM)
    action = _needed(cursor, fields, "action", "allow or deny", lambda each: each.choice(_ACTIONS))
    direction = given(fields, "direction", lambda each: each.choice(_DIRECTIONS), None)
    source, destination = (_read_side(fields, key) for key in ("source", "destination"))
    name = {"name": given(fields, "name", lambda each: each.text("a text"), "")}
    rest = _common(fields) | {"ports": given(fields, "ports", _read_ports, ALL_PORTS)} | name
    if action is None or cursor.broken:
        return None
    return cursor.noting(lambda: AclRule(action, source=source, destination=destination, direction=direction, **rest))


def _read_side(fields: Fields, key: str) -> Side:
    return given(fields, key, lambda each: each.read(parse_side, _SIDE), _ANY_SIDE)


def _common(fields: Fields) -> dict[str, Any]:
    """What rules and lines both may say in the same way, by the names that both classes use."""
    return {
        "protocol": given(fields, "protocol", lambda each: each.read(Protocol.parse, "a protocol"), Protocol.ALL),
        "source_ports": given(fields, "source_ports", _read_ports, ALL_PORTS),
        "enabled": given(fields, "enabled", lambda each: each.read(truth, "true or false"), True),
        "description": given(fields, "description", lambda each: each.text("a text"), ""),
        "given_id": given(fields, "id", lambda each: each.text("an id"), ""),
    }


def _needed(cursor: Cursor, fields: Fields, key: str, form: str, read: Callable[[Cursor], T | None]) -> T | None:
    found = cursor.need(fields, key, form)
    return read(found) if found else None


def _read_ports(cursor: Cursor) -> PortSet | None:
    text = _port_text(cursor, "80, 80-90 or a list of them")
    return None if text is None else cursor.noting(lambda: PortSet.parse(text))


def _read_rule_ports(cursor: Cursor) -> RulePorts | None:
    text = _port_text(cursor, "80, 80-90, a list of them or the name of a port list")
    return None if text is None else cursor.noting(lambda: parse_ports(text))


def _port_text(cursor: Cursor, form: str) -> str | None:
    texts = [item.text(form) for item in cursor.items(form, one=True)]
    return None if None in texts else ",".join(text for text in texts if text is not None)
