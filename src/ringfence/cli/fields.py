"""Fields of resources as options of commands, and what the options say as JSON. All that they know is in the forms."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.cli.completing import completer
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.resources.fields import Field
from ringfence.resources.form import Form
from ringfence.resources.forms import BY_PLURAL
from ringfence.resources.kind import Kind

_LONG = 512  # characters; longer texts may come from a file

_NEW: Mapping[Kind, tuple[tuple[str, str, Mapping[str, Any]], ...]] = {
    Kind.RULE: (("rule", "the whole rule in one line", {"type": "string", "examples": ["in allow tcp 80 from any"]}),),
    Kind.GROUP: (("template", "rules to begin with", {"enum": ["default"]}),),
    Kind.INSTANCE: (
        (
            "ports",
            "a port to make with it",
            {"type": "array", "items": {"type": "object"}, "examples": [["subnet=web groups=sg-web"]]},
        ),
    ),
}
"""Short forms that a request for a new resource may use besides the fields."""

Said = dict[str, Any]


def _nothing(_: Any) -> Any:
    return None


def asked_fields(form: Form, *, new: bool) -> list[Field]:
    """The fields that a request may say."""
    fields = [each for each in form.open_fields if new or not each.fixed]
    short = _NEW.get(form.kind, ()) if new or form.kind is Kind.RULE else ()
    return [*(Field(name, doc, _nothing, _nothing, schema, None) for name, doc, schema in short), *fields]


def options_of(fields: Iterable[Field], *, new: bool) -> list[inspect.Parameter]:
    """An option for each field."""
    return [_option(each, new=new) for each in fields]


def _option(field: Field, *, new: bool) -> inspect.Parameter:
    word, kind = field.name.replace("_", "-"), type_of(field)
    names = [f"--{word}/--no-{word}"] if kind == "boolean" else [f"--{word}"]
    annotation: Any = {"boolean": bool, "integer": int, "array": list[str], "object": list[str]}.get(kind, str)
    extra: dict[str, Any] = {} if kind == "boolean" else {"metavar": _metavar(field, kind)}
    if complete := _completer(field, kind):
        extra["autocompletion"] = complete
    option = typer.Option(*names, help=_help(field, kind, new=new), **extra)
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[annotation | None, option]
    )


def type_of(field: Field) -> str:
    """The JSON type of a field, leaving out null."""
    kinds = field.schema.get("type", "string")
    return next(kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")


def _choices(field: Field) -> list[str]:
    return [str(each) for each in field.schema.get("enum", ()) if each is not None]


def _metavar(field: Field, kind: str) -> str:
    return "|".join(_choices(field)) or {"integer": "N", "object": "NAME=VALUE"}.get(kind, "TEXT")


def _help(field: Field, kind: str, *, new: bool) -> str:
    notes = []
    if new and field.required and field.name != "direction":
        notes.append("required")
    if examples := field.schema.get("examples"):
        first = examples[0]
        notes.append(f"like {first[0] if isinstance(first, list) else first}")
    if kind in ("array", "object"):
        notes.append("repeatable")
    if _is_long(field):
        notes.append("@FILE reads it from a file")
    doc = field.doc[:1].upper() + field.doc[1:]
    return f"{doc} ({'; '.join(notes)})." if notes else f"{doc}."


def _completer(field: Field, kind: str) -> Any:
    if choices := _choices(field):
        return lambda incomplete: [each for each in choices if each.startswith(incomplete)]
    kind_of = _referred(field, kind)
    return completer(kind_of) if kind_of else None


def _referred(field: Field, kind: str) -> Kind | None:
    """The kind that a field names by ids, as its own name tells."""
    if kind == "array" and field.name != "rules" and field.name in BY_PLURAL:
        return BY_PLURAL[field.name].kind
    if kind == "string" and field.schema.get("maxLength") == 128 and field.name in set(Kind):
        return Kind(field.name)
    return None


def _is_long(field: Field) -> bool:
    return type_of(field) == "string" and _LONG < field.schema.get("maxLength", 0) != 4096


def said(fields: Iterable[Field], given: Mapping[str, Any]) -> Said:
    """What the options say, as JSON; options that were not given say nothing. Raises `InvalidFields`."""
    return {
        each.name: _json(each, given[each.name])
        for each in fields
        if given.get(each.name) is not None and given[each.name] != []
    }


def _json(field: Field, value: Any) -> Any:
    kind = type_of(field)
    if kind == "array":
        items = [] if list(value) == [""] else list(value)
        return [as_object(field.name, each) for each in items] if _holds_objects(field) else items
    if kind == "object":
        return _merged(field.name, value)
    if isinstance(value, str) and value.startswith("@") and _is_long(field):
        return Path(value[1:]).read_text()
    return value


def _holds_objects(field: Field) -> bool:
    return bool(field.schema.get("items", {}).get("type") == "object")


def _merged(name: str, words: Sequence[str]) -> Said:
    """Objects and single members, each from a word, as one object."""
    merged: Said = {}
    for word in words:
        merged |= as_object(name, word) if word.startswith("{") else _member(name, word)
    return merged


def _member(name: str, word: str) -> Said:
    if not word:
        return {}
    key, equals, text = word.partition("=")
    if not equals or not key:
        raise _wrong(name, word, "write NAME=VALUE, or a JSON object")
    try:
        return {key: json.loads(text)}
    except ValueError:
        return {key: text}


def as_object(name: str, word: str) -> Said:
    """An object in JSON, or in words: ``subnet=web groups=sg-web,sg-admin``."""
    if word.startswith("{"):
        try:
            found = json.loads(word)
        except ValueError as error:
            raise _wrong(name, word, f"it is no JSON: {error}") from None
        return found if isinstance(found, dict) else {}
    lists = (
        {field.name for field in BY_PLURAL[name].fields if type_of(field) == "array"} if name in BY_PLURAL else set()
    )
    parts = [_member(name, each) for each in word.split()]
    return {key: str(value).split(",") if key in lists else value for part in parts for key, value in part.items()}


def _wrong(name: str, word: str, right: str) -> InvalidFields:
    return InvalidFields((FieldProblem(name, f"{word!r} is not accepted", right, value=word),))


def tags_said(words: Sequence[str]) -> dict[str, str]:
    """Tags from words like ``env=prod``; one empty word is no tags."""
    pairs = (word.partition("=") for word in words if word)
    return {key: value for key, _, value in pairs}
