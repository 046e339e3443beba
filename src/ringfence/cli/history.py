"""What happened, and what is in force: the commands ``revision``, ``audit``, ``watch`` and ``enforcement``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli import showing
from ringfence.cli.asking import Asked, command
from ringfence.cli.confirming import confirm as confirm_through_new
from ringfence.cli.plans import as_change, show_changes
from ringfence.client.paths import at
from ringfence.errors import Refused

if TYPE_CHECKING:
    from ringfence.client.client import Client

Number = Annotated[int, typer.Argument(metavar="N", min=0, help="A revision's number.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="So many at most.")]
_GROUP_HELP = """What changed, revision by revision.

\b
Examples:
  ringfence revision list
  ringfence revision show 42
  ringfence revision revert 42 --dry-run
  ringfence revision confirm 43"""
_AUDIT = ("at", "account", "user", "source", "operation", "resource", "outcome", "revision")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    revisions = typer.Typer(name="revision", no_args_is_help=True, rich_markup_mode=None, help=_GROUP_HELP)
    command(revisions, "list", list_)
    command(revisions, "show", show)
    command(revisions, "revert", revert, changes=True)
    command(revisions, "confirm", confirm)
    app.add_typer(revisions, name="revision")
    for each in (audit, watch, enforcement):
        command(app, each.__name__, each)


def list_(
    asked: Asked,
    *,
    after: Annotated[
        int | None, typer.Option("--after", metavar="N", min=0, help="Those that follow; else the newest.")
    ] = None,
    limit: Limit = 30,
) -> None:
    """List revisions, the newest last."""
    page = asked.client.get(at("revisions"), {"after": after, "limit": limit})
    if asked.json:
        asked.show_json(page)
        return
    waiting = ("confirm_until",) if any(it["confirm_until"] for it in page["items"]) else ()
    showing.show_table(("number", "at", "account", "user", "operation", "count", *waiting), page["items"])


def show(asked: Asked, *, number: Number) -> None:
    """Show what a revision changed."""
    told = asked.client.get(at("revisions", str(number)))
    if asked.json:
        asked.show_json(told)
        return
    showing.show_item({name: value for name, value in told.items() if name not in ("changes", "count")})
    show_changes(as_change(each["before"], each["after"]) for each in told["changes"])


def revert(asked: Asked, *, number: Number) -> None:
    """Take a revision back, by a new one with the reverse of its changes."""
    answer = asked.change(lambda: asked.client.post(at("revisions", str(number), "revert"), None, asked.query))
    asked.tell(answer, f"revision {number} taken back")


def confirm(asked: Asked, *, number: Number) -> None:
    """Confirm a revision that is taken back otherwise, through a connection that is opened after it was in force."""
    deadline = next(
        (it["confirm_until"] for it in asked.client.get(at("confirmations"))["items"] if it["revision"] == number), None
    )
    if deadline is None:
        raise Refused(
            f"revision {number} waits for no confirmation", "it was settled, or never waited", reason="confirm.none"
        )
    with asked.working("waiting until it is in force"):
        confirm_through_new(asked.client, number, time.monotonic() + 60)
    if asked.json:
        asked.show_json({"confirmed": number})
    else:
        print(f"revision {number} is confirmed")


def audit(
    asked: Asked,
    *,
    of: Annotated[str | None, typer.Option("--of", metavar="ACCOUNT", help="Of an account (operators).")] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="USER", help="By a user.")] = None,
    key_id: Annotated[str | None, typer.Option("--key-id", metavar="ID", help="By an access key.")] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="ADDRESS", help="From an address.")] = None,
    operation: Annotated[str | None, typer.Option("--operation", metavar="NAME", help="Like CreateVpc.")] = None,
    action: Annotated[str | None, typer.Option("--action", metavar="NAME", help="A RAM action.")] = None,
    resource: Annotated[str | None, typer.Option("--resource", metavar="ARN", help="On a resource.")] = None,
    code: Annotated[str | None, typer.Option("--code", metavar="CODE", help="Refused by a code.")] = None,
    request_id: Annotated[str | None, typer.Option("--request-id", metavar="ID", help="Of one request.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="Like 2026-11-22T09:00:00.000Z.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="The same.")] = None,
    allowed: Annotated[bool | None, typer.Option("--allowed/--refused", help="Only what was.")] = None,
    limit: Limit = 50,
) -> None:
    r"""Say who asked for what, and what became of it; the newest last.

    \b
    Examples:
      ringfence audit --refused
      ringfence audit --user alice --since 2026-11-22T09:00:00.000Z --json
    """
    query = {"account": of, "user": user, "key_id": key_id, "source": source, "operation": operation, "action": action}
    query |= {"resource": resource, "code": code, "request_id": request_id, "since": since, "until": until}
    items = list(_newest(asked.client, query, allowed, limit))
    if asked.json:
        asked.show_json({"items": items})
    else:
        showing.show_table(_AUDIT, [it | {"outcome": "allowed" if it["allowed"] else it["code"]} for it in items])


def _newest(client: Client, query: Mapping[str, str | None], allowed: bool | None, limit: int) -> list[dict[str, Any]]:
    page = client.get(at("audit"), {**query, "allowed": allowed, "limit": limit, "newest_first": True})
    return [*reversed(page["items"])]


def watch(
    asked: Asked,
    *,
    after: Annotated[
        int | None, typer.Option("--after", metavar="N", min=0, help="Begin after a revision; else with the next.")
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="Of all accounts (operators).")] = False,
) -> None:
    """Tell changes as they come, until interrupted."""
    from ringfence.client.client import events_of

    query = {"after": after, "everything": everything or None}
    with asked.client.stream("GET", at("watch"), query) as lines:
        for kind, data in events_of(lines):
            told = json.loads(data)
            if kind == "reset":
                raise Refused(told["detail"], "begin after a newer revision", reason=told["code"])
            print(json.dumps(told, ensure_ascii=False) if asked.json else _headline(told), flush=True)
            if not asked.json:
                show_changes(as_change(each["before"], each["after"]) for each in told["changes"])


def _headline(told: Mapping[str, Any]) -> str:
    who = "/".join(filter(None, (told["account"], told["user"])))
    return f"revision {told['number']} {told['at']} {who} {told['operation']}"


def enforcement(asked: Asked) -> None:
    """Say what each agent enforces, and how many revisions it is behind."""
    told = asked.client.get(at("enforcement"))
    if asked.json:
        asked.show_json(told)
        return
    if not told["items"]:
        print(f"no agent has reported; the newest revision is {told['revision']}")
        return
    rows = [it | {"behind": max(0, told["revision"] - it["revision"])} for it in told["items"]]
    showing.show_table(("agent", "revision", "behind", "status", "at", "detail"), rows)
