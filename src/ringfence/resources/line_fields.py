"""Lists of lines, which ACLs and firewalls have, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ringfence.errors import NotationError
from ringfence.model.acl import AclRule
from ringfence.model.rule import (
    AddressGroupRemote,
    Remote,
)
from ringfence.resources.fields import Field
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key


def lists_named(*remotes: Remote) -> Iterator[Key]:
    """The address groups that some remotes name."""
    for remote in remotes:
        if isinstance(remote, AddressGroupRemote):
            yield Key(Kind.ADDRESS_GROUP, remote.name)


def lines_refer(lines: tuple[AclRule, ...]) -> Iterator[Key]:
    """What some lines refer to."""
    for line in lines:
        yield from lists_named(line.source, line.destination)


def lines_field(name: str, doc: str, *, example: str) -> Field:
    """Lines of an ACL or a firewall: each a text, or an object where the line has an id of its own or a name."""

    def read(json: object) -> tuple[AclRule, ...]:
        if not isinstance(json, list) or len(json) > _LONGEST_LIST:
            raise NotationError(
                f"{name} is not a list of at most {_LONGEST_LIST} rules", f"use a list like [{example!r}]"
            )
        return tuple(map(_read_line, json))

    text = {"type": "string", "maxLength": 4096}
    said = {"type": "object", "required": ["rule"], "additionalProperties": False}
    said["properties"] = {"id": {"type": "string", "maxLength": 64}, "name": text | {"maxLength": 128}, "rule": text}
    items = {"anyOf": [text, said]}
    schema = {"type": "array", "items": items, "maxItems": _LONGEST_LIST, "examples": [[example]]}
    return Field(name, doc, read, lambda value: list(map(_show_line, value)), schema, ())


_LONGEST_LIST = 1000


def _read_line(json: object) -> AclRule:
    if isinstance(json, str):
        return AclRule.parse(json)
    told = isinstance(json, Mapping) and "rule" in json and json.keys() <= {"id", "name", "rule"}
    if not (isinstance(json, Mapping) and told and all(isinstance(each, str) for each in json.values())):
        raise NotationError(f"{json!r} is not a rule", "use a text, or an object {id, name, rule} of texts")
    return replace(AclRule.parse(json["rule"]), given_id=json.get("id", ""), name=json.get("name", ""))


def _show_line(line: AclRule) -> str | dict[str, str]:
    own = {name: value for name, value in (("id", line.given_id), ("name", line.name)) if value}
    return own | {"rule": str(line)} if own else str(line)
