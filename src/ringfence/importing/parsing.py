"""Bytes of a file as a text, and the text as JSON: several documents one after the other are a list of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from ringfence.errors import BadImportFile
from ringfence.importing.source import Item, Source
from ringfence.model.names import is_whole

_RIGHT: Final = "give the JSON that the cloud's own API or tool prints, as a whole"
_AS_JSON: Final = "print JSON: aws ... --output json, openstack ... -f json, terraform show -json"
_FORMS: Final = (
    (r"[+|][-=+ |]", "a table"),
    (r"<", "XML or HTML"),
    (r'(resource|data|module|provider|variable|terraform) *["{]', "Terraform's configuration, and no state of it"),
    (r"# \w+\.|(resource|data) ", "what terraform show prints without -json"),
    (r"---\s|- |[\w.-]+: |[\w.-]+:\s", "YAML"),
    (r'"?[\w ]+"?(,"?[\w ]+"?)+\s', "CSV"),
    (r"[A-Z]+\t|\S+\t", "text in columns"),
)
"""How other forms begin, and what they are."""
_MARKS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_DEEPEST: Final = 200
_BRACKET: Final = re.compile("{")
_HALF: Final = re.compile(r"\\?u[0-9a-fA-F]{0,3}|\\")
"""An escape of a text that ends in the middle."""
_DECODER: Final = json.JSONDecoder()


class _Twice(ValueError):
    """An object has a name twice."""


def decoded(name: str, data: bytes) -> Source:
    """A file: UTF-8, or what its mark of byte order says (as Windows writes what a command prints)."""
    encoding = next((each for mark, each in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return Source(name, data.decode(encoding))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadImportFile(name, line, "", f"it is no text ({error.reason})", _RIGHT) from None


def read_source(source: Source) -> Item:
    """The value of a file; raises `BadImportFile` for what is no JSON, with the line."""
    value, whole = _loaded(source)
    _check_depth(source, value)
    if not is_whole(json.dumps(value, ensure_ascii=False)):
        half = re.search(r"\\u(0000|[dD][89a-fA-F])", source.text)
        raise _bad(source, half.start() if half else 0, "a text holds half of a surrogate pair or a zero", _RIGHT)
    return Item(value, whole)


def _loaded(source: Source) -> tuple[Any, Source]:
    try:
        return json.loads(source.text, object_pairs_hook=_object, parse_constant=_constant), source
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and source.text.lstrip()[:1] in ("{", "["):
            return _loaded(Source(source.name, f"[{','.join(_documents(source))}]"))
        raise _no_json(source, error) from None
    except _Twice as error:
        raise _bad(source, _twice(source.text), str(error), "give the file as the cloud's own tool prints it") from None
    except RecursionError:
        raise _bad(source, 0, "it is nested too deeply", _RIGHT) from None
    except ValueError as error:
        word = str(error) if re.fullmatch("-?[A-Z]\\w+", str(error)) else ""
        what = f"{word} is no value of JSON" if word else "a number has too many digits"
        raise _bad(source, max(source.text.find(word), 0), what, _RIGHT) from None


def _documents(source: Source) -> Iterator[str]:
    """The texts of documents that stand one after the other, with what is between them, so that lines stay."""
    start = at = 0
    while source.text[at:].strip():
        try:
            _, at = _DECODER.raw_decode(source.text, at + len(source.text[at:]) - len(source.text[at:].lstrip()))
        except json.JSONDecodeError as error:
            raise _no_json(source, error) from None
        yield source.text[start:at]
        start = at


def _bad(source: Source, offset: int, what: str, right: str) -> BadImportFile:
    return BadImportFile(source.name, source.text.count("\n", 0, offset) + 1, "", what, right)


def _no_json(source: Source, error: json.JSONDecodeError) -> BadImportFile:
    text = source.text.lstrip()
    if not text:
        return _bad(source, 0, "the file is empty", _RIGHT)
    if text[0] not in "[{":
        form = next((what for begins, what in _FORMS if re.match(begins, text)), "no JSON")
        return _bad(source, error.pos, f"it is {form}", _AS_JSON)
    rest = source.text[error.pos :].rstrip()
    begun = any(word.startswith(rest) for word in ("null", "true", "false", "-"))  # also with nothing
    cut = begun or error.msg.startswith("Unterminated string") or _HALF.fullmatch(rest)
    if cut:
        return _bad(source, len(source.text.rstrip()), f"the file is cut off: {error.msg}", _RIGHT)
    return _bad(source, error.pos, f"this is no JSON: {error.msg}", _RIGHT)


def _check_depth(source: Source, value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            each
            for it in level
            if isinstance(it, dict | list)
            for each in (it.values() if isinstance(it, dict) else it)
        ]
        if not level:
            return
    raise _bad(source, 0, "it is nested too deeply", _RIGHT)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Twice(f"an object names {twice!r} twice")
    return found


def _twice(text: str) -> int:
    """Where the last object begins that has a name twice."""
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    for match in reversed([*_BRACKET.finditer(text)]):
        try:
            decoder.raw_decode(text, match.start())
        except _Twice:
            return match.start()
        except ValueError:  # a bracket in a text
            continue
    return 0


def _constant(name: str) -> Any:
    raise ValueError(name)
