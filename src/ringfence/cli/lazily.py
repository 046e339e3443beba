"""The commands of ``ringfence`` by name and purpose: each is imported when it is used, with what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from ringfence.resources.kind import Kind

_ROOMS: Mapping[str, Mapping[str, str]] = {
    "judging": {"check": "Judge a world file by the model alone."},
    "explaining": {"why": "Say what becomes of a flow, and why."},
    "fixing": {"fix": "Say what to change so that a flow passes: the fewest edits, and every other way with as few."},
    "importing": {
        "import": "Make a world file of what you have: AWS, Alibaba Cloud, Huawei Cloud, OpenStack, Terraform's state."
    },
    "reaching": {"reach": "Say who can reach whom by which services: both ways, along the whole path, exactly."},
    "differing": {
        "diff": "Say what NEW allows that OLD denies, and the other way round: exactly, with a packet for example each."
    },
    "linting": {
        "lint": "Say what is risky, needless, contradictory, unused or without effect, where, why, and what to do."
    },
    "tidying": {
        "tidy": "Find the fewest rules with the same meaning, to get back under a quota: proved equal, "
        "for all memberships."
    },
    "labs": {
        "up": "Build a world, enforce it, prove it by packets.",
        "down": "Remove the lab, and only it.",
        "exec": "Run a command inside an instance.",
        "verify": "Compare model and packets on every pair.",
        "vip": "Virtual IPs of the lab.",
    },
    "logs": {
        "hits": "Say what each rule has matched.",
        "drops": "Say which packets were dropped, and by which rule.",
        "flows": "Log what the ports carry and drop.",
    },
    "serving": {
        "serve": "Run the service: API, store, and an agent where it is told where to enforce.",
        "agent": "Run an agent: follow a server, and enforce on this host what it says.",
    },
    "keeping": {
        "backup": "Write everything that the store holds to a file; the service may run meanwhile.",
        "restore": "Fill an empty store from a backup, which is checked as a whole first. Not while the service runs.",
        "rotate-key": "Seal all secrets under a new key. Stop the service first, and start it again after.",
    },
    "session": {
        "login": "Log in to a server with an access key, and keep a token of it for the commands that follow.",
        "logout": "Make the token worthless, and forget it.",
        "whoami": "Show who one is to the server, and by what.",
    },
    "declared": {
        "plan": "Say what applying a world file to a server would change.",
        "apply": "Make a server, or a lab that is up, have what a world file says.",
        "export": "Write what the account has as a world file; with --json as JSON.",
    },
    "history": {
        "revision": "What changed, revision by revision.",
        "audit": "Say who asked for what, and what became of it; the newest last.",
        "watch": "Tell changes as they come, until interrupted.",
        "enforcement": "Say what each agent enforces, and how many revisions it is behind.",
    },
    "tagging": {
        "tag": "Set tags of a resource; its others stay.",
        "untag": "Take tags of a resource away, by their keys.",
        "tags": "List the tags of all resources.",
    },
}
"""The modules of this package, each with the commands that its ``register`` adds, and what these are for: the first
sentence of their own help."""


class Later(TyperCommand):
    """A command of which name and purpose are known: everything else is made when its arguments are read."""

    def __init__(self, name: str, purpose: str, make: Callable[[], Any]) -> None:
        super().__init__(name, help=purpose)
        self.make = make
        """Gives the command itself."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """The context of the command itself, which takes this one's place."""
        return self.make().make_context(*args, **extra)


class Commands(TyperGroup):
    """All commands: those of modules, and a group for each kind of resource."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {str(each.name): each for each in (*_of_rooms(), *_of_kinds())}


def word_of(kind: Kind) -> str:
    """A kind's word on the command line."""
    return kind.value.replace("_", "-")


def _of_rooms() -> Iterator[Later]:
    for room, purposes in _ROOMS.items():
        for name, purpose in purposes.items():
            yield Later(name, purpose, partial(_of_room, room, name))


def _of_kinds() -> Iterator[Later]:
    return (Later(word_of(kind), kind.doc, partial(_of_kind, kind)) for kind in Kind)


def _of_room(room: str, name: str) -> Any:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)  # so that it stays a group, even of one
    import_module(f"ringfence.cli.{room}").register(app)
    command = get_group(app).commands[name]
    # Docstrings are raw, and what keeps the lines of an example is a control character.
    command.help = command.help and command.help.replace("\\b\n", "\b\n")
    return command


def _of_kind(kind: Kind) -> TyperGroup:
    from ringfence.cli.nouns import app_of

    return get_group(app_of(kind))
