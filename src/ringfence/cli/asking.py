"""What all commands against a server have in common: the options, the client, and how a change is told."""

from __future__ import annotations

import inspect
import json as json_
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ringfence.client.login import connect
from ringfence.errors import InvalidInput

if TYPE_CHECKING:
    from ringfence.client.client import Client

MOST_WAIT = 60
"""So many seconds the server lets one wait."""
_PATIENCE = 30.0  # seconds that an answer may take besides

Server = Annotated[
    str, typer.Option("--server", metavar="URL", help="Else RINGFENCE_SERVER, else where you logged in.")
]
Account = Annotated[str, typer.Option("--account", metavar="ID", help="Act on another account (operators).")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Wait = Annotated[bool, typer.Option("--wait", help="Return when it is enforced; --wait=SECONDS, else 60.")]
WaitSeconds = Annotated[int | None, typer.Option("--wait-seconds", hidden=True, min=0, max=MOST_WAIT)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, and change nothing.")]
IfRevision = Annotated[
    int | None, typer.Option("--if-revision", metavar="N", min=0, help="Refuse if there is a newer revision.")
]


@dataclass(frozen=True)
class Asked:
    """A command against a server, with what its common options say. ``query`` goes with every change."""

    client: Client
    json: bool = False
    query: dict[str, Any] = field(default_factory=dict)

    @property
    def is_dry(self) -> bool:
        """Whether nothing is to be changed."""
        return bool(self.query.get("dry_run"))

    def show_json(self, told: object) -> None:
        """Print for programs."""
        print(json_.dumps(told, indent=2, ensure_ascii=False))

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show on a terminal that something takes its time."""
        with working(what, quiet=self.json):
            yield

    def change(self, ask: Callable[[], Any]) -> Any:
        """Ask for a change, and wait for it as long as the options say."""
        if "wait" not in self.query:
            return ask()
        with self.working("waiting until it is enforced"):
            return ask()

    def tell(self, answer: Mapping[str, Any], what: str) -> None:
        """Tell a change that was made, in words like ``group 'web' deleted``; exit code 1 if it is not enforced yet."""
        if self.json:
            self.show_json(answer)
        elif answer.get("dry_run"):
            self._tell_dry(answer, what)
        else:
            print(f"{what} (revision {answer['revision']}{', enforced' if answer.get('enforced') else ''})")
        self.end(answer)

    @staticmethod
    def _tell_dry(answer: Mapping[str, Any], what: str) -> None:
        from ringfence.cli.plans import show_foreseen

        print(f"{what}: possible; nothing was changed")
        if answer.get("reachability") is not None:
            show_foreseen(answer)

    def end(self, answer: Mapping[str, Any]) -> None:
        """Leave with exit code 1 if a change was to be waited for and is not enforced yet."""
        if answer.get("enforced") is False:
            seconds = self.query.get("wait")
            print(
                f"ringfence: revision {answer['revision']} is made, but not enforced after {seconds} s", file=sys.stderr
            )
            raise typer.Exit(1)


class Command(TyperCommand):
    """A command whose ``--wait`` may be given seconds: ``--wait=30``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of the command line."""
        return super().parse_args(ctx, [part for word in args for part in _without_value(word)])


def _without_value(word: str) -> list[str]:
    name, equals, value = word.partition("=")
    return ["--wait-seconds", value] if name == "--wait" and equals else [word]


def _of_reading(server: Server = "", account: Account = "", json: Json = False) -> None:
    """Take the options of every command."""


def _of_changing(
    wait: Wait = False, wait_seconds: WaitSeconds = None, dry_run: DryRun = False, if_revision: IfRevision = None
) -> None:
    """Take the options of every change."""


Parameters = Iterable[inspect.Parameter]
Work = Callable[..., None]
"""Does what a command is for: given an `Asked`, and the command's own parameters by name."""


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function, as a command takes them."""
    found = inspect.signature(function, eval_str=True).parameters.values()
    return [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in found]


_READING, _CHANGING = parameters_of(_of_reading), parameters_of(_of_changing)


def command(
    app: typer.Typer, name: str, work: Work, *, own: Parameters | None = None, changes: bool = False, doc: str = ""
) -> None:
    """Add a command to an app. ``own`` are its parameters, else those of ``work`` after the first."""
    mine = parameters_of(work)[1:] if own is None else list(own)

    def run(**given: Any) -> None:
        server, account, json = (given.pop(name) for name in ("server", "account", "json"))
        query = query_of(*(given.pop(name, None) for name in ("wait", "wait_seconds", "dry_run", "if_revision")))
        with asking(server, account, query, json=json) as asked:
            work(asked, **given)

    run.__doc__ = doc or work.__doc__
    run.__annotations__ = {}
    run.__signature__ = inspect.Signature([*mine, *(_CHANGING if changes else ()), *_READING])  # type: ignore[attr-defined]
    app.command(name=name, cls=Command)(run)


@contextmanager
def asking(server: str, account: str, query: dict[str, Any], *, json: bool) -> Iterator[Asked]:
    """A command against the server that is named or known."""
    with connect(server, account, timeout=_PATIENCE + float(query.get("wait", 0))) as client:
        yield Asked(client, json, query)


def query_of(wait: bool | None, seconds: int | None, dry: bool | None, revision: int | None) -> dict[str, Any]:
    """What the options of a change say, as the parameters of a query. Raises `InvalidInput`."""
    query: dict[str, Any] = {}
    if wait or seconds is not None:
        query["wait"] = MOST_WAIT if seconds is None else seconds
    if dry and query:
        raise InvalidInput("a dry run changes nothing that could be waited for; leave out --wait or --dry-run")
    if dry:
        query["dry_run"] = True
    if revision is not None:
        query["if_revision"] = revision
    return query


def counted(number: int, what: str) -> str:
    """A number of things: ``2 rules``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


@contextmanager
def working(what: str, *, quiet: bool = False) -> Iterator[None]:
    """A sign of life on standard error, where there is a terminal to show it."""
    if quiet:
        yield
        return
    from rich.console import Console

    err = Console(stderr=True)
    with err.status(what) if err.is_terminal else nullcontext():
        yield
