"""The commands of ``ringfence``, each made when somebody asks for it: a command starts without what others need."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

_ROOMS = {
    "judging": ("check",),
    "explaining": ("why",),
    "fixing": ("fix",),
    "importing": ("import",),
    "reaching": ("reach",),
    "differing": ("diff",),
    "linting": ("lint",),
    "tidying": ("tidy",),
    "labs": ("up", "down", "exec", "verify", "vip"),
    "logs": ("hits", "drops", "flows"),
    "serving": ("serve", "agent"),
    "keeping": ("backup", "restore", "rotate-key"),
    "session": ("login", "logout", "whoami"),
    "declared": ("plan", "apply", "export"),
    "history": ("revision", "audit", "watch", "enforcement"),
    "tagging": ("tag", "untag", "tags"),
}
"""The modules of this package, each with the commands that its ``register`` adds."""


class Later(TyperGroup):
    """A group whose commands are made when the first of them is looked for."""

    def __init__(self, name: str, doc: str, made: Callable[[], typer.Typer]) -> None:
        super().__init__(name=name, help=doc, no_args_is_help=True, rich_markup_mode=None)
        self._made: Callable[[], typer.Typer] | None = made

    def _fill(self) -> None:
        if self._made is not None:
            group = get_group(self._made())
            self.commands.update(group.commands)
            self.help, self._made = group.help, None

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of its commands."""
        self._fill()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One of its commands."""
        self._fill()
        return super().get_command(ctx, cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Tell what it is for."""
        self._fill()
        super().format_help(ctx, formatter)


class Commands(TyperGroup):
    """All commands: those of modules, and a group for each kind of resource."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all."""
        return [*(name for names in _ROOMS.values() for name in names), *_words()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name."""
        if cmd_name not in self.commands:
            for room, names in _ROOMS.items():
                if cmd_name in names:
                    self.commands.update(_of_room(room))
            if cmd_name in _words():
                self.commands[cmd_name] = _noun(cmd_name)
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the words ask for; of a name that is none, the names that are near."""
        if args and self.get_command(ctx, args[0]) is None:
            for name in self.list_commands(ctx):
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)


def _of_room(room: str) -> dict[str, Any]:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)  # so that it stays a group, even of one
    import_module(f"ringfence.cli.{room}").register(app)
    commands = dict(get_group(app).commands)
    for each in commands.values():  # docstrings are raw, and what keeps the lines of an example is a control character
        each.help = each.help and each.help.replace("\\b\n", "\b\n")
    return commands


def _words() -> dict[str, Any]:
    from ringfence.resources.kind import Kind

    return {kind.value.replace("_", "-"): kind for kind in Kind}


def _noun(word: str) -> Later:
    from ringfence.cli.nouns import app_of, summary_of

    kind = _words()[word]
    return Later(word, summary_of(kind), lambda: app_of(kind))
