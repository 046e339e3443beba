"""A resource: something that somebody has in the service, and what a revision does to it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from ringfence.errors import FieldProblem, InvalidFields
from ringfence.resources.form import Form
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Called, Key
from ringfence.resources.values import Value

NO_TAGS: Mapping[str, str] = MappingProxyType({})
COMMON = ("id", "kind", "account", "name", "description", "tags", "protected", "created")
"""The fields that every resource has, before those of its kind."""

_LONGEST_NAME, _LONGEST_DESCRIPTION = 128, 512
_RESERVED_TAGS = ("aliyun", "acs:")


_any_text: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def text_of(said: Any) -> str:
    """Anything that is JSON, as one line of it."""
    try:
        return orjson.dumps(said).decode()
    except TypeError:  # most likely a number of more than 64 bits, as of the addresses in a prefix of IPv6
        return _any_text(said)


class Text(str):
    """JSON that is text already, for answers that hold what is stored as it is."""

    __slots__ = ()

    @staticmethod
    def around(body: Any) -> str:
        """A body as one line of JSON; it may be such a text, or hold some in its members and their lists."""
        if isinstance(body, Text):
            return body
        if isinstance(body, list) and body and all(isinstance(it, Text) for it in body):
            return f"[{','.join(body)}]"
        if isinstance(body, dict) and any(isinstance(it, Text | list) for it in body.values()):
            return f"{{{','.join(f'{text_of(name)}:{Text.around(it)}' for name, it in body.items())}}}"
        return text_of(body)


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that an account has.

    ``name`` is for people and need not be unique; ``id`` is. ``protected`` refuses deletion. ``created`` is a time in
    UTC, as ISO 8601. Values name other resources by their ids.
    """

    kind: Kind
    id: str
    account: str
    value: Value
    name: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    protected: bool = False
    created: str = ""
    key: Key = field(init=False, repr=False, compare=False)
    """Its kind and id."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", Key(self.kind, self.id))

    @property
    def form(self) -> Form:
        """The form of its kind."""
        return FORMS[self.kind]

    @property
    def refers(self) -> frozenset[Key]:
        """The resources that it refers to."""
        return frozenset(self.form.refers(self.value)).difference((self.key,))

    def as_json(self) -> dict[str, Any]:
        """Everything that it says, secrets too; what may be told is `shown`."""
        return {
            "id": self.id,
            "kind": str(self.kind),
            "account": self.account,
            "name": self.name,
            "description": self.description,
            "tags": dict(self.tags),
            "protected": self.protected,
            "created": self.created,
            **self.form.show(self.value),
        }

    def shown(self) -> dict[str, Any]:
        """The same without what nobody is to see: for answers, for those who follow, and for the audit."""
        hidden = self.form.hidden
        return {name: value for name, value in self.as_json().items() if name not in hidden}

    def shown_text(self) -> str:
        """What may be told, as one line of JSON."""
        return text_of(self.shown())

    def text(self) -> str:
        """As one line of JSON: how it is stored."""
        return text_of(self.as_json())

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Resource:
        """Read it back; raises `InvalidFields`."""
        kind = Kind(said["kind"])
        form = FORMS[kind]
        called = Called(said["id"], said["name"], said["account"], said["description"])
        own = {each.name: said[each.name] for each in form.fields if each.name in said}
        value = form.read(called, own)
        tags = said["tags"] or NO_TAGS
        kept = (said["protected"], said["created"])
        return cls(kind, called.id, called.account, value, called.name, called.description, tags, *kept)

    @classmethod
    def parse(cls, text: str) -> Resource:
        """Read it back from its line."""
        return cls.of(orjson.loads(str(text)))  # which takes no `Text`


class ResourceChange(NamedTuple):
    """What a revision does to one resource: made (no ``before``), altered, or removed (no ``after``)."""

    before: Resource | None
    after: Resource | None

    @property
    def resource(self) -> Resource:
        """As it is now, or as it was when it was removed."""
        found = self.after or self.before
        assert found
        return found

    @property
    def kind(self) -> Kind:
        """The kind of the resource."""
        return self.resource.kind

    @property
    def key(self) -> Key:
        """Of which resource."""
        return self.resource.key

    @property
    def reversed(self) -> ResourceChange:
        """The change that takes it back."""
        return ResourceChange(self.after, self.before)


def by_kind(changes: Iterable[ResourceChange]) -> dict[Kind, list[ResourceChange]]:
    """Changes by the kind of what they change."""
    found: defaultdict[Kind, list[ResourceChange]] = defaultdict(list)
    for change in changes:
        found[change.kind].append(change)
    return dict(found)


def squashed(changes: Iterable[ResourceChange]) -> tuple[ResourceChange, ...]:
    """One change for each resource in place of several, and none for what is as it was."""
    found: dict[Key, ResourceChange] = {}
    for change in changes:
        key = change.key
        first = found.get(key)
        found[key] = ResourceChange(first.before, change.after) if first else change
    return tuple(change for change in found.values() if change.before != change.after)


def common_problems(said: Mapping[str, Any], tags_allowed: int) -> list[FieldProblem]:
    """What is wrong with the fields that every resource has, as far as a request says them."""
    problems: list[FieldProblem] = []
    for name, longest in (("name", _LONGEST_NAME), ("description", _LONGEST_DESCRIPTION)):
        value = said.get(name, "")
        if not isinstance(value, str) or len(value) > longest or not value.isprintable():
            right = f"use a text of at most {longest} characters in one line"
            problems.append(FieldProblem(name, f"{value!r} is no {name}", right, value=value))
    if not isinstance(said.get("protected", False), bool):
        what = f"{said['protected']!r} is neither true nor false"
        problems.append(FieldProblem("protected", what, "use true or false", value=said["protected"]))
    return problems + _tag_problems(said.get("tags", {}), tags_allowed)


def _tag_problems(tags: object, allowed: int) -> list[FieldProblem]:
    if not isinstance(tags, Mapping) or not all(isinstance(text, str) for pair in tags.items() for text in pair):
        return [
            FieldProblem("tags", f"{tags!r} are no tags", 'use an object of texts like {"env": "prod"}', value=tags)
        ]
    if len(tags) > allowed:
        what = f"{len(tags)} tags are more than {allowed}"
        return [FieldProblem("tags", what, f"use at most {allowed}", "limit.tags", len(tags))]
    for key, value in tags.items():
        taken = key.startswith(_RESERVED_TAGS) or "://" in key + value
        if not 1 <= len(key) <= 128 or len(value) > 128 or not (key + value).isprintable() or taken:
            right = "use 1 to 128 characters for the key and 128 for the value, not aliyun or acs: at the front"
            return [FieldProblem("tags", f"{key!r}: {value!r} is no tag", right, "input.tag", key)]
    return []


def refuse(problems: Iterable[FieldProblem]) -> None:
    """Raise `InvalidFields` if there are any."""
    found = tuple(problems)
    if found:
        raise InvalidFields(found)
