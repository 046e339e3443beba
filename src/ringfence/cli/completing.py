"""Completion in the shell: ids and names of what the server has, if it answers at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import typer

from ringfence.errors import RingfenceError
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind

_PATIENCE = 1.0  # seconds that somebody who pressed the tabulator waits
Completer = Callable[..., list[tuple[str, str]]]


def completer(kind: Kind) -> Completer:
    """Completes references to resources of a kind. It says nothing where the server does not answer."""

    def complete(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        with suppress(RingfenceError):  # there is no place for an error on a line that is being typed
            return [pair for pair in _known(kind, ctx.params) if pair[0].startswith(incomplete)]
        return []

    return complete


def _known(kind: Kind, options: dict[str, Any]) -> list[tuple[str, str]]:
    from ringfence.client.login import connect

    with connect(options.get("server") or "", options.get("account") or "", timeout=_PATIENCE) as client:
        items = client.get(f"/v1/{FORMS[kind].plural}", {"limit": 1000})["items"]
    return [(it["id"], it["name"] if it["name"] != it["id"] else it["description"]) for it in items]
