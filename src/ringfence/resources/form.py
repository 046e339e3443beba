"""What a kind of resource says: its fields, in the notation of people, and the values that they make.

The same forms serve the store, the API with its schema, the command line and the stream that agents follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ringfence.errors import FieldProblem, InvalidFields, NotationError
from ringfence.resources.fields import Field
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Called, Key
from ringfence.resources.values import Value


@dataclass(frozen=True)
class Form:
    """A kind's fields, and the way between them and its value.

    ``plural`` is its word in addresses of the API. ``prefix`` begins the ids that are made up. ``build`` makes the
    value of what a resource is called and its fields; ``parts`` gives the fields back. ``refers`` names what the value
    refers to. ``expand`` turns a short form that a request may use into plain fields; it raises `NotationError`.
    """

    kind: Kind
    plural: str
    prefix: str
    fields: tuple[Field, ...]
    build: Callable[[Called, Mapping[str, Any]], Value]
    parts: Callable[[Any], Mapping[str, Any]]
    refers: Callable[[Any], Iterable[Key]]
    expand: Callable[[dict[str, Any]], dict[str, Any]] = dict
    derived: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """What is shown besides the fields, and made of them."""

    @property
    def is_secretive(self) -> bool:
        """Whether it has fields that nobody is to see."""
        return bool(self.hidden)

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The names of those."""
        return frozenset(each.name for each in self.fields if each.hidden)

    @property
    def open_fields(self) -> tuple[Field, ...]:
        """The fields that may be said and seen."""
        return tuple(each for each in self.fields if not each.hidden)

    def read(self, called: Called, given: Mapping[str, Any]) -> Value:
        """The value of some fields; raises `InvalidFields` with everything that is wrong."""
        values, problems = self._read_fields(given)
        problems += [self.unknown(name, given[name]) for name in given.keys() - self._names]
        if not problems:
            try:
                return self.build(called, values)
            except NotationError as error:
                problems = [FieldProblem(self.kind.value, error.what, error.right, error.code, dict(given))]
        raise InvalidFields(tuple(problems))

    def _read_fields(self, said: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldProblem]]:
        values: dict[str, Any] = {}
        problems = []
        for each in self.fields:
            if each.name in said:
                try:
                    values[each.name] = each.read(said[each.name])
                except NotationError as error:
                    problems.append(FieldProblem(each.name, error.what, error.right, error.code, said[each.name]))
            elif each.required:
                problems.append(FieldProblem(each.name, f"{each.name} is missing", each.doc, "input.missing"))
            else:
                values[each.name] = each.default
        return values, problems

    def unknown(self, name: str, value: object) -> FieldProblem:
        """What is wrong with a field that there is not, or that nobody may say."""
        known = ", ".join(each.name for each in self.open_fields)
        what = f"a {self.kind.words} has no field {name!r}"
        return FieldProblem(name, what, f"use {known}", "input.unknown_field", value)

    def show(self, value: Value) -> dict[str, Any]:
        """The fields of a value, as JSON."""
        parts = self.parts(value)
        shown = {name: show(parts[name]) for name, show in self._shows}
        for name, show in self.derived.items():
            shown[name] = show(value)
        return shown

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(each.name for each in self.fields)

    @cached_property
    def _shows(self) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
        return tuple((each.name, each.show) for each in self.fields)
