"""The command ``tidy``: the fewest rules that say what the rules of a world file say."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from ringfence import garbage
from ringfence.analysis.rules.tidy import Tidied, tidied
from ringfence.cli import output
from ringfence.cli.asking import Json
from ringfence.cli.files import changes
from ringfence.cli.judging import WorldFile
from ringfence.errors import UnknownName
from ringfence.model.world import World, nearest
from ringfence.worldfile import amended, parse, read_text, replace_text

_LIFTED = {"*": dict.fromkeys(("rules_per_group", "rules_per_port", "group_rules_per_group"), 1_000_000)}
"""A file that says too much is what this is for."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tidy)


def tidy(
    file: WorldFile,
    groups: Annotated[
        list[str] | None, typer.Option("--group", "-g", metavar="GROUP", help="Only this group; may be repeated.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Change the file; comments and forms of the rest stay.")
    ] = False,
    json: Json = False,
) -> None:
    """Find the fewest rules with the same meaning, to get back under a quota: proved equal, for all memberships.

    Shows what would go and come, and the change of the file. Managed and disabled rules stay. Exit code 0; 1 if the
    file cannot be changed in place, and then nothing is written. No root, no kernel. What a server has comes into a
    file by `ringfence export -o FILE`, and back by `ringfence apply FILE`. A rule of both families counts as two.
    """
    text = read_text(file)
    before = parse(text, str(file), _LIFTED)
    with garbage.paused():
        found, after = _tidied(before, groups or [])
    changed = amended(text, before, after)
    write = write and changed != text
    if write:
        replace_text(file, text, changed)
    diff = changes(str(file), text, changed)
    if json:
        told = [_json(each) for each in found]
        output.print_json({"groups": told, "skipped": _managed(before, groups), "diff": diff, "written": write})
    else:
        _show(found, _managed(before, groups), diff, write)


def _tidied(before: World, names: list[str]) -> tuple[list[Tidied], World]:
    """Each group after those before it were tidied, since what one may leave out depends on the others."""
    unknown = [name for name in names if name not in before.groups]
    if unknown:
        raise UnknownName(f"there is no group {unknown[0]!r}", nearest(unknown[0], before.groups))
    found, world = [], before
    for name in names or before.groups:
        if not before.groups[name].managed or names:
            made = tidied(replace(world, limits={}), world.groups[name])
            found.append(made)
            world = made.world(world)
    return found, world


def _managed(world: World, names: list[str] | None) -> dict[str, str]:
    return {} if names else {name: group.managed for name, group in world.groups.items() if group.managed}


def _json(made: Tidied) -> dict[str, Any]:
    name = made.before.name
    gone, come = ([{"id": rule.id_in(name), "rule": str(rule)} for rule in rules] for rules in (made.gone, made.come))
    cost = {"cost_before": made.cost_before, "cost_after": made.cost_after, "limit": made.limit}
    return {"group": name, **cost, "minimal": made.minimal, "gone": gone, "come": come}


def _show(found: list[Tidied], managed: dict[str, str], diff: str, written: bool) -> None:
    for made in found:
        print(_headline(made))
        for sign, rules in (("-", made.gone), ("+", made.come)):
            for rule in rules:
                print(f"  {sign} {rule}")
    for name, service in managed.items():
        print(f"{name}: belongs to {service}, and stays as it is")
    if diff and written:
        print("\nwritten")
    elif diff:
        print(f"\n{diff}\nnothing is written yet: --write changes the file")


def _headline(made: Tidied) -> str:
    name, counted = made.before.name, f"{made.cost_before} of {made.limit} rules"
    if (written := len(made.before.rules)) != made.cost_before:
        counted += f" (written as {written})"
    proof = "no smaller set of these and joined rules says the same"
    if not made.minimal:
        proof = "none of them can be left out or joined with a neighbour, but a smaller set may exist"
    if not made.gone and not made.come:
        return f"{name}: {counted}, {'as few as it takes' if made.minimal else 'and no fewer were found'}: {proof}"
    over = f", still more than {made.limit}" if made.cost_after > made.limit else ""
    return f"{name}: {counted}, {made.cost_after} {'says' if made.cost_after == 1 else 'say'} the same{over}; {proof}"
