"""Answers of Alibaba's APIs, as JSON or XML (apis/alibaba.md 2.6 and 2.7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final
from xml.sax.saxutils import escape

JSON_TYPE, XML_TYPE = "application/json;charset=utf-8", "text/xml;charset=utf-8"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_NOT_IN_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), 65533)


def encoded(told: Any, root: str, *, as_json: bool) -> tuple[bytes, str]:
    """The body of an answer and its media type; ``root`` is the outermost element where it is XML."""
    if as_json:
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"), JSON_TYPE
    return "".join((_HEAD, *_elements(root, told))).encode("utf-8", "replace"), XML_TYPE


def _elements(name: str, told: Any) -> Iterator[str]:
    """A value as elements of one name: a list is the element again and again."""
    if isinstance(told, list | tuple):
        for each in told:
            yield from _elements(name, each)
    elif isinstance(told, dict):
        yield f"<{name}>"
        for key, value in told.items():
            yield from _elements(key, value)
        yield f"</{name}>"
    elif told is not None:
        yield f"<{name}>{_text(told)}</{name}>"


def _text(told: Any) -> str:
    if isinstance(told, bool):
        return "true" if told else "false"
    return escape(str(told).translate(_NOT_IN_XML))
