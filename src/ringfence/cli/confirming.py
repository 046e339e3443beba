"""Keeping a change that is taken back unless it is confirmed: by its maker, through a connection opened after it."""

from __future__ import annotations

import re
import select
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from ringfence.cli.asking import Asked
from ringfence.client.paths import at
from ringfence.errors import Conflict, InvalidInput, Refused, ServerUnreachable

if TYPE_CHECKING:
    from ringfence.client.client import Client

_PATIENCE = 3.0  # seconds for one question: the change may have cut this machine off
_BACK = 30.0  # seconds that a server may take to be reached again after a change was taken back
_LOOK = 2.0  # seconds between two looks at whether somebody confirmed elsewhere
_REVERT = "RevertUnconfirmed"
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"([0-9]{1,6})([smh]?)", re.ASCII)


def seconds_of(text: str) -> int:
    """A time like 60, 60s or 2m in seconds; raises `InvalidInput`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidInput(f"{text!r} is no time; write it like 60s or 2m")
    return int(match[1]) * _UNITS[match[2]]


def settle(asked: Asked, answer: Mapping[str, Any], seconds: int) -> None:
    """Ask whoever sits here whether a change is to be kept. Where nobody does, only tell how it is confirmed."""
    number, until = answer["revision"], time.monotonic() + seconds
    if asked.json:
        asked.show_json(answer)
        return
    print(f"applied as revision {number}; it is taken back at {answer['confirm_until']} unless it is confirmed:")
    print(f"  ringfence revision confirm {number}")
    if sys.stdin.isatty():
        sys.stdout.flush()
        _ask(asked, number, until)


def _ask(asked: Asked, number: int, until: float) -> None:
    """Ask, with the seconds that are left, until there is an answer, somebody confirms elsewhere, or it is over."""
    looked = time.monotonic()
    while (left := until - time.monotonic()) > 0:
        print(f"\rKeep these changes? [y/N] ({left:.0f} s left) ", end="", file=sys.stderr, flush=True)
        if select.select([sys.stdin], [], [], min(1.0, left))[0]:
            if _answered(asked, number, sys.stdin.readline(), until):
                return
        elif time.monotonic() - looked > _LOOK:
            looked = time.monotonic()
            if not _is_awaited(asked.client, number):
                break
    print(file=sys.stderr)
    tell_end(asked.client, number)


def _answered(asked: Asked, number: int, said: str, until: float) -> bool:
    """Do what was answered; whether it was one that counts."""
    if said.strip().lower() in ("y", "yes"):
        confirm(asked.client, number, until)
        print(f"revision {number} is confirmed")
        return True
    if said.strip().lower() in ("n", "no", ""):
        with asked.client.fresh() as client:
            client.post(at("revisions", str(number), "revert"))
        print(f"revision {number} is taken back")
        raise typer.Exit(1)
    return False


def confirm(client: Client, number: int, until: float) -> None:
    """Confirm through new connections, again and again until it is in force, at most until a time (monotonic)."""
    while True:
        with client.fresh() as fresh:
            try:
                fresh.post(at("revisions", str(number), "confirm"))
            except Conflict as error:
                if error.reason not in ("confirm.not_enforced", "confirm.old_connection") or time.monotonic() > until:
                    raise
            else:
                return
        time.sleep(0.2)


def _is_awaited(client: Client, number: int) -> bool:
    """Whether a revision still waits; also where the server does not answer in time."""
    try:
        with client.fresh(timeout=_PATIENCE) as fresh:
            return any(it["revision"] == number for it in fresh.get(at("confirmations"))["items"])
    except ServerUnreachable:
        return True


def tell_end(client: Client, number: int) -> None:
    """Say what became of a revision that waits no longer; raises `Refused` if it was taken back."""
    if _was_taken_back(client, number, time.monotonic() + _BACK):
        raise Refused(f"revision {number} was not confirmed and is taken back", "apply it again", reason="confirm.late")
    print(f"revision {number} was settled elsewhere")


def _was_taken_back(client: Client, number: int, until: float) -> bool:
    """Whether it was, as soon as that is done; waits for a server that the change had cut off.

    Raises `Refused` where the server still has not done it at a time (monotonic), `ServerUnreachable`.
    """
    while True:
        over = time.monotonic() > until
        try:
            with client.fresh(timeout=_PATIENCE) as fresh:
                if not any(it["revision"] == number for it in fresh.get(at("confirmations"))["items"]):
                    later = fresh.get(at("revisions"), {"after": number})["items"]
                    return any(it["operation"] == _REVERT for it in later)
                if over:
                    what = f"revision {number} was not confirmed, and the server has not taken it back yet"
                    raise Refused(what, f"look why: ringfence revision show {number}", reason="confirm.late")
        except ServerUnreachable:
            if over:
                raise
        time.sleep(0.2)
