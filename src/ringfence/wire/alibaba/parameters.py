"""Parameters of a request to Alibaba's APIs: one flat map, lists counted from 1 in the names (apis/alibaba.md 2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from ringfence.errors import FieldProblem, InvalidFields, Refused

MOST: Final = 20_000
"""So many parameters one request may have; 100 rules with every field said have 2,000."""
_NUMBER = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_INDEX = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_TRUTH: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Parameters:
    """Names and texts. ``path`` is what stands before the names, where these are a part of a request: ``Tag.2.``."""

    values: Mapping[str, str]
    path: str = ""
    _lists: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _parts: dict[str, tuple[Parameters, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was read before: filters are held against each of many resources."""

    @classmethod
    def of(cls, *encoded: str) -> Parameters:
        """Those of a query and of a form; raises `InvalidFields` for what is said twice or is not readable."""
        found: dict[str, str] = {}
        for name, value in _pairs(encoded):
            if name in found:
                raise invalid(name, "it is there more than once", value)
            found[name] = value
        return cls(found)

    def __contains__(self, name: str) -> bool:
        return bool(self.values.get(name))

    def text(self, name: str, default: str = "") -> str:
        """A text; one that is empty is as good as not there."""
        return self.values.get(name) or default

    def required(self, name: str) -> str:
        """A text that must be there; raises `Refused`."""
        if found := self.values.get(name):
            return found
        raise missing(self.path + name)

    def number(self, name: str, default: int, low: int, high: int, code: str = "InvalidParameter") -> int:
        """A whole number; raises `InvalidFields` with a code."""
        text = self.text(name)
        if not text:
            return default
        if not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
            raise invalid(self.path + name, f"use a number from {low} to {high}", text, code)
        return int(text)

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false in any case of letters; raises `InvalidFields`."""
        text = self.text(name)
        if not text:
            return default
        if text.lower() not in _TRUTH:
            raise invalid(self.path + name, "use true or false", text)
        return _TRUTH[text.lower()]

    def choice(self, name: str, choices: Mapping[str, str], default: str = "", code: str = "InvalidParameter") -> str:
        """One of some words in any case of letters, as what it stands for; raises `InvalidFields` with a code."""
        text = self.text(name)
        if not text:
            return default
        if text.lower() not in choices:
            raise invalid(self.path + name, f"use one of {', '.join(choices)}", text, code)
        return choices[text.lower()]

    def every(self, name: str) -> tuple[str, ...]:
        """The texts of a list ``Name.1``, ``Name.2`` …, in the order of their numbers, which may have gaps."""
        if name not in self._lists:
            self._lists[name] = tuple(each for _, rest, each in self._numbered(name) if not rest and each)
        return self._lists[name]

    def parts(self, name: str) -> tuple[Parameters, ...]:
        """The structures of a list ``Name.1.Field`` …, in the order of their numbers."""
        if name not in self._parts:
            self._parts[name] = tuple(self._structures(name))
        return self._parts[name]

    def _structures(self, name: str) -> Iterator[Parameters]:
        found: dict[int, dict[str, str]] = {}
        for index, rest, value in self._numbered(name):
            if rest:
                found.setdefault(index, {})[rest] = value
        return (Parameters(values, f"{self.path}{name}.{index}.") for index, values in sorted(found.items()))

    def _numbered(self, name: str) -> list[tuple[int, str, str]]:
        begins = f"{name}."
        found = []
        for key, value in self.values.items():
            if key.startswith(begins):
                number, _, rest = key[len(begins) :].partition(".")
                if not _INDEX.fullmatch(number):
                    raise invalid(self.path + key, f"count from 1: {begins}1", value)
                found.append((int(number), rest, value))
        return sorted(found)


def _pairs(encoded: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in encoded:
        try:
            found = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST)
        except ValueError:
            what = f"send at most {MOST} parameters, percent-encoded in UTF-8"
            raise invalid("query", what, "") from None
        yield from found


def missing(name: str) -> Refused:
    """The refusal of a request that lacks a parameter."""
    reason = "MissingParameter.RegionId" if name == "RegionId" else "MissingParameter"
    return Refused(f"{name} is mandatory for this action.", reason=reason, field=name)


def invalid(name: str, right: str, value: object, code: str = "InvalidParameter") -> InvalidFields:
    """The refusal of a parameter, with what would be right."""
    what = f"Specified parameter {name} is not valid."
    return InvalidFields((FieldProblem(name, what, right, code, value),))
