"""The command ``fix``: the smallest change that makes a flow pass, of a world file, a lab or a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from ringfence.analysis.fix.fixes import Fix, fixes
from ringfence.analysis.why.asking import Question
from ringfence.cli import output
from ringfence.cli.asking import Account, Json, Server, asking, counted
from ringfence.cli.choosing import where
from ringfence.cli.explaining import query_of, question_of
from ringfence.cli.files import changes
from ringfence.cli.questions import AsOf, Over, check_place, command_line, service_asked, services_told
from ringfence.client.paths import at
from ringfence.errors import CannotAmend, InvalidInput
from ringfence.model.world import World
from ringfence.worldfile import amended, parse, read_text, replace_text

Told = Mapping[str, Any]
_END = "An instance, instance.port, virtual IP, outside host or address."
_OPENED = 8
"""So many lines of what a fix opens or closes are told of the best one."""
_SHOWN = 2
"""And of another one."""
_FULLY = 12
"""So many others are told with all that they do."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(fix)


def fix(
    source: Annotated[str, typer.Argument(metavar="SRC", help=_END)],
    destination: Annotated[str, typer.Argument(metavar="DST", help="The same.")],
    service: Annotated[str, typer.Argument(metavar="PROTO[/PORT]", help="tcp/443, udp/53, icmp, gre, 132, …")],
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Ask about a world file.")] = None,
    over: Annotated[Over | None, typer.Option(help="The address family; else IPv4 where both ends have it.")] = None,
    from_port: Annotated[int | None, typer.Option(help="The port that it comes from.", min=1, max=65535)] = None,
    as_of: AsOf = None,
    all_: Annotated[bool, typer.Option("--all", help="Say what every fix does, however much there is.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Make the first fix in the file; comments stay.")] = False,
    lab: Annotated[str | None, typer.Option("--lab", help="Ask the lab of this name.")] = None,
    server: Server = "",
    account: Account = "",
    json: Json = False,
) -> None:
    r"""Say what to change so that a flow passes: the fewest edits, and every other way with as few.

    Each comes with the commands that make it on a server, as an edit of the world file, and with what it does besides:
    the flows that it opens and closes, exactly, and the live connections that it cuts. The best is first: what closes
    nothing, then what opens the least. A group is preferred to a prefix where a rule may name one, a rule is as weak as
    suffices, and nothing lets in anybody by a risky port or from outside where the question was about one host. What no
    change mends is said so, with what helps instead. It is about one flow: of a group or the internet `ringfence why`
    tells which flows do not pass, and names one of each kind. Exit code 0 if the flow passes already or there is a fix,
    1 if there is none.

    \b
    Examples:
      ringfence fix web-1 db-1 tcp/3306 -f shop.yaml
      ringfence fix laptop web-1 tcp/22 -f shop.yaml --write
    """
    question = question_of(source, destination, service_asked(service), over, from_port)
    check_place(file, server, lab, as_of)
    if write and not file:
        raise InvalidInput("--write changes a world file; name one with -f")
    if file:
        told = _of_file(file, question, write=write, everything=all_)
    elif (place := where(server, lab)).server:
        with asking(place.server, account, {}, json=json) as asked:
            told = asked.client.get(at("fix"), {**query_of(question), "as_of": as_of})
    else:
        told = _of_lab(place.lab, question, everything=all_)
    if json:
        output.print_json(told)
    else:
        _show(told, str(file) if file and write else "")
        if file and not write and told["fixes"] and told["fixes"][0]["file_edit"]:
            over_, port = over and str(over), from_port
            words = [source, destination, service, "--write"]
            print(
                f"\n{command_line('fix', words, {'--over': over_, '--from-port': port, '-f': file})} makes the first."
            )
    stopped = any(each["verdict"] == "deny" for each in told.get("guests", ()))
    raise typer.Exit(0 if (told["verdict"] == "allow" or told["fixes"]) and not stopped else 1)


def _of_file(file: Path, question: Question, *, write: bool, everything: bool) -> Told:
    text = read_text(file)
    world = parse(text, str(file))
    found = fixes(world, question.flow(world))
    if write and found.smallest:
        replace_text(file, text, amended(text, world, found.smallest.after))
    told = found.as_json(everything=everything)
    return _with_each(told, ({"file_edit": _file_edit(text, world, each, str(file))} for each in found.all))


def _file_edit(text: str, world: World, made: Fix, name: str) -> str | None:
    """A fix as a unified diff of the file; None where the file cannot be changed in place."""
    try:
        return changes(name, text, amended(text, world, made.after), context=1)
    except CannotAmend:
        return None


def _of_lab(name: str, question: Question, *, everything: bool) -> Told:
    from ringfence.lab.guest import look
    from ringfence.lab.lab import Lab

    with closing(Lab.attach(name)) as attached:
        flow = question.flow(attached.world)
        found = fixes(attached.world, flow)
        guests = [guest.as_json() for guest in look(attached, flow) if guest.denied_by]
        cuts = [[cut.as_json() for cut in attached.preview(each.after)] for each in found.all[:_FULLY]]
    live = [{"living": each} for each in cuts]
    return {**_with_each(found.as_json(everything=everything), live), "silence": None, "guests": guests}


def _with_each(told: Told, more: Iterable[Mapping[str, object]]) -> Told:
    """Fixes for programs, with something more of each."""
    each, nothing = cast("list[Told]", told["fixes"]), dict[str, object]()
    return {**told, "fixes": [{**one, **two} for one, two in zip_longest(each, more, fillvalue=nothing)]}


# ---- for people


def _show(told: Told, written: str) -> None:
    found: Sequence[Told] = told["fixes"]
    print(f"{told['flow']}  {told['verdict'].upper()}\n")
    if told["verdict"] == "allow":
        print("It passes already: nothing is to be changed.")
    elif found:
        _show_best(found[0], written)
        _show_others(found[1:])
    else:
        _show_why_none(told)
    _show_withheld(told["withheld"])
    _show_besides(told)
    if not told["whole"]:
        print("\nThe search was broken off: there may be other fixes, or smaller ones.")


def _show_best(best: Told, written: str) -> None:
    print(f"The smallest fix is {counted(len(best['edits']), 'edit')}{f', made in {written}' if written else ''}:")
    for edit in best["edits"]:
        print(f"  {edit}")
    _show_commands(best)
    if best.get("file_edit"):
        print("\nIn the world file:")
        print("\n".join(f"  {line}" for line in best["file_edit"].splitlines()))
    print()
    _show_consequence(best, _OPENED)


def _show_others(others: Sequence[Told]) -> None:
    if others:
        print(f"\n{len(others)} other {'fix' if len(others) == 1 else 'fixes'} of the same size:")
    for number, each in enumerate(others, 2):
        first, *rest = each["edits"]
        print(f"\n  {number}. {first}" if number <= _FULLY else f"  {number}. {first}")
        for edit in rest:
            print(f"     {edit}")
        if number <= _FULLY:
            _show_commands(each, "     ")
            _show_consequence(each, _SHOWN, "     ")
    if len(others) >= _FULLY:
        print("\nThe commands of the last ones, and what they do: --json tells all.")


def _show_commands(told: Told, indent: str = "  ") -> None:
    for line in told["commands"]:
        print(f"{indent}  $ {line}")


def _show_consequence(told: Told, most: int, indent: str = "") -> None:
    if "opens" not in told:
        print(f"{indent}What else it does is not worked out of so many fixes; of a file or a lab, --all does.")
        return
    _show_flows(f"{indent}It opens", told["opens"], most, indent)
    _show_flows(f"{indent}It closes", told["closes"], most, indent)
    if "living" not in told:
        _show_flows(f"{indent}It cuts live connections, if there are", told["cuts"], most, indent)
    else:
        print(f"{indent}It cuts {counted(len(told['living']), 'live connection')}{':' if told['living'] else '.'}")
        for each in told["living"][:most]:
            print(f"{indent}  {_connection(each['connection'])}: {each['because']}")
    for each in told["breaks"]:
        print(f"{indent}It is against what is expected: {each}")


def _connection(told: Told) -> str:
    port = f"/{told['destination_port']}" if "destination_port" in told else ""
    return f"{told['source']} -> {told['destination']} {told['protocol']}{port}"


def _show_flows(what: str, flows: Sequence[Told], most: int, indent: str) -> None:
    if flows:
        print(f"{what}:")
    for each in flows[:most]:
        over = " over ipv6" if each["family"] == "ipv6" else ""
        print(
            f"{indent}  {', '.join(each['from'])} -> {', '.join(each['to'])}: {services_told(each['services'])}{over}"
        )
    if len(flows) > most:
        print(f"{indent}  and {len(flows) - most} more; --json tells all")


def _show_why_none(told: Told) -> None:
    print("No change of rules, memberships, ACLs, firewalls or peerings makes it pass.")
    for each in (*told["obstacles"], *told["refused"]):
        print(f"  {each['what']}")
        print(f"    instead: {each['instead']}")


def _show_withheld(withheld: Sequence[Told]) -> None:
    if withheld:
        print("\nNot proposed, as it would let in anybody:")
    for each in withheld:
        print(f"  {'; '.join(each['edits'])}")


def _show_besides(told: Told) -> None:
    """What is in the guests, or is said of them."""
    if silence := told["silence"]:
        print(f"\nBut {silence['what']}: {silence['instead']}.")
    for guest in told.get("guests", ()):
        for finding in guest["findings"]:
            if finding["verdict"] == "deny":
                print(f"\nBut inside the guest of {guest['port']}: {finding['text']}. No edit of the world mends that.")
