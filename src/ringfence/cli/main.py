"""The command ``ringfence``. Exit codes: 0 yes, 1 no or refused, 2 bad input, 3 could not run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.lazily import Commands
from ringfence.errors import CannotRun, InvalidFields, Refused, RingfenceError, ServerRefused, WorldFileError

app = typer.Typer(
    name="ringfence",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"ringfence {version('ringfence')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Security groups that explain every verdict and prove by packets that the explanation is true."""


def run() -> None:
    """Run the command line; every error of ours is one message on standard error and an exit code."""
    if sys.stdout is None:  # closed by who called us
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # for as long as we run
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # who read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(CannotRun.exit_code)
    except RingfenceError as error:
        print(f"ringfence: {told(error)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        print(f"ringfence: {error.strerror or error}", file=sys.stderr)
        sys.exit(CannotRun.exit_code)


def told(error: RingfenceError) -> str:
    """An error in one line with its code; of several problems, a line each."""
    match error:
        case WorldFileError():  # its mistakes have codes of their own
            return str(error)
        case InvalidFields(problems=[_, _, *_] as problems) | ServerRefused(problems=[_, _, *_] as problems):
            lines = "".join(f"\n  {problem}" for problem in problems)
            return f"{len(problems)} problems [{error.code}]{lines}"
        case InvalidFields(problems=[problem]):
            return str(problem)
        case Refused():
            return f"{error} [{error.reason}]"
    return f"{error} [{error.code}]"
