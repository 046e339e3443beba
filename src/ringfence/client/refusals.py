"""What a server refuses, as the error that it was there: by its code, or by its title, which is a class in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence import errors
from ringfence.errors import FieldProblem, Mistake, RingfenceError


def _classes(kind: type[RingfenceError]) -> Iterator[type[RingfenceError]]:
    """Those that every program knows: what else there is depends on what is loaded, and is made in ways of its own."""
    if kind.__module__ == errors.__name__:
        yield kind
    for each in kind.__subclasses__():
        yield from _classes(each)


_BY_CODE = {kind.code: kind for kind in _classes(RingfenceError)}
_BY_TITLE = {errors.title_of(kind): kind for kind in _classes(RingfenceError)}


def error_of(status: int, told: Mapping[str, Any]) -> RingfenceError:
    """The error that problem details (RFC 9457) tell."""
    code, detail = str(told["code"]), str(told.get("detail", ""))
    request_id, problems = str(told.get("request_id", "")), tuple(_problems(told))
    kind = _BY_CODE.get(code) or _BY_TITLE.get(str(told.get("title", "")))
    if kind is not None and kind is not RingfenceError:
        return _made(kind, detail, code, problems)
    if status >= 500:
        return errors.ServerFailed(f"{detail} [{code}]; the request was {request_id}")
    return errors.ServerRefused(detail, reason=code, status=status, request_id=request_id, problems=problems)


def _problems(told: Mapping[str, Any]) -> Iterator[FieldProblem]:
    for each in told.get("errors") or ():
        if isinstance(each, dict):
            field, what, right, code = (str(each.get(name, "")) for name in ("field", "what", "right", "code"))
            yield FieldProblem(field, what, right, code, each.get("value"))


def _made(kind: type[RingfenceError], detail: str, code: str, problems: tuple[FieldProblem, ...]) -> RingfenceError:
    first = problems[0] if problems else FieldProblem("", detail, "", code)
    if issubclass(kind, errors.InvalidFields) and problems:
        return kind(problems)
    if issubclass(kind, errors.WorldFileError):
        mistakes = (Mistake(_line(it.field), 1, it.code, it.what, it.right) for it in problems)
        return kind(detail.partition("\n")[0].rpartition(": ")[0], tuple(mistakes))
    if issubclass(kind, errors.NotationError | errors.UnknownName):
        return kind(first.what, first.right)
    if issubclass(kind, errors.Refused):
        return _refused(kind, first, code)
    return kind(detail)


def _refused(kind: type[errors.Refused], first: FieldProblem, code: str) -> errors.Refused:
    made = kind(first.what, first.right)
    made.reason, made.field, made.value = code, first.field, first.value
    return made


def _line(field: str) -> int:
    number = field.removeprefix("line ")
    return int(number) if number.isascii() and number.isdigit() else 0
