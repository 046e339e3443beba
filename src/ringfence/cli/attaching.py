"""Commands for ports that come and go, their addresses, and what is done with instances."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ringfence.cli.asking import Asked, command
from ringfence.cli.completing import completer
from ringfence.client.paths import at
from ringfence.errors import InvalidInput
from ringfence.resources.kind import Kind

Port = Annotated[str, typer.Argument(metavar="PORT", help="Its id.", autocompletion=completer(Kind.PORT))]
Instance = Annotated[
    str, typer.Argument(metavar="INSTANCE", help="Its id or name.", autocompletion=completer(Kind.INSTANCE))
]


def register_ports(app: typer.Typer) -> None:
    """Add the commands for ports."""
    for name, work in (
        ("attach", attach),
        ("detach", detach),
        ("hang", hang),
        ("assign", assign),
        ("unassign", unassign),
    ):
        command(app, name, work, changes=True)


def register_instances(app: typer.Typer) -> None:
    """Add the commands for instances."""
    for name, work in (("start", start), ("stop", stop), ("reboot", reboot), ("move", move)):
        command(app, name, work, changes=True)


def _post(asked: Asked, plural: str, ref: str, word: str, **said: Any) -> dict[str, Any]:
    body = {name: value for name, value in said.items() if value is not None}
    path = at(plural, ref, *word.split("/"))
    answer: dict[str, Any] = asked.change(lambda: asked.client.post(path, body, asked.query))
    return answer


def attach(
    asked: Asked,
    *,
    port: Port,
    instance: Instance,
    index: Annotated[int | None, typer.Option("--index", metavar="N", help="Else its next one.")] = None,
) -> None:
    """Attach a port that no instance has to one."""
    answer = _post(asked, "ports", port, "attach", instance=instance, index=index)
    item = answer["item"]
    asked.tell(answer, f"port {item['id']!r} attached to {item['instance']!r} as {item['name']!r}")


def detach(
    asked: Asked,
    *,
    port: Port,
    instance: Annotated[
        str | None, typer.Option("--instance", metavar="REF", help="Refuse if not of this one.")
    ] = None,
) -> None:
    """Detach a port from its instance, or from the port that it hangs off."""
    answer = _post(asked, "ports", port, "detach", instance=instance)
    asked.tell(answer, f"port {answer['item']['id']!r} detached")


def hang(
    asked: Asked,
    *,
    port: Port,
    parent: Annotated[str, typer.Argument(metavar="PARENT", help="The port to hang off.")],
    vlan: Annotated[int | None, typer.Option("--vlan", metavar="N", help="Else the first free one.")] = None,
) -> None:
    """Have a port be a supplementary interface of another one."""
    answer = _post(asked, "ports", port, "hang", parent=parent, vlan=vlan)
    item = answer["item"]
    asked.tell(answer, f"port {item['id']!r} hangs off {item['parent']!r} by VLAN {item['vlan']}")


def assign(
    asked: Asked,
    *,
    port: Port,
    addresses: Annotated[list[str] | None, typer.Argument(metavar="ADDRESS…")] = None,
    count: Annotated[int | None, typer.Option("--count", metavar="N", help="So many free ones.")] = None,
    ipv6: Annotated[bool, typer.Option("--ipv6", help="Free ones of IPv6.")] = False,
) -> None:
    """Give a port more addresses of its subnet."""
    if not addresses and not count:
        raise InvalidInput("say which addresses; give them, or --count N")
    family = "ipv6" if ipv6 else None
    answer = _post(asked, "ports", port, "addresses", addresses=addresses or None, count=count, family=family)
    asked.tell(answer, f"port {answer['item']['id']!r} has {', '.join(answer['addresses'])} as well")


def unassign(asked: Asked, *, port: Port, addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS…")]) -> None:
    """Take addresses from a port; its first one stays."""
    answer = _post(asked, "ports", port, "addresses/release", addresses=addresses)
    asked.tell(answer, f"port {answer['item']['id']!r} has {', '.join(answer['addresses'])} no longer")


def start(asked: Asked, *, instance: Instance) -> None:
    """Note that an instance was started."""
    _tell_power(asked, _post(asked, "instances", instance, "start"))


def stop(asked: Asked, *, instance: Instance) -> None:
    """Note that an instance was stopped."""
    _tell_power(asked, _post(asked, "instances", instance, "stop"))


def reboot(asked: Asked, *, instance: Instance) -> None:
    """Note that an instance was started again."""
    _tell_power(asked, _post(asked, "instances", instance, "reboot"))


def _tell_power(asked: Asked, answer: dict[str, Any]) -> None:
    asked.tell(answer, f"instance {answer['item']['id']!r} is {answer['item']['power']}")


def move(
    asked: Asked,
    *,
    instance: Instance,
    subnet: Annotated[str, typer.Argument(metavar="SUBNET", help="Where to.", autocompletion=completer(Kind.SUBNET))],
    groups: Annotated[list[str], typer.Option("--group", metavar="REF", help="A group there (repeatable).")],
    address: Annotated[str | None, typer.Option("--address", metavar="ADDRESS", help="Else free ones.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Though it runs.")] = False,
) -> None:
    """Have an instance's primary port be in another subnet and in other groups, at once."""
    said = {"subnet": subnet, "groups": groups, "address": address, "force": force or None}
    item = (answer := _post(asked, "instances", instance, "move", **said))["item"]
    asked.tell(
        answer, f"instance {item['instance']!r} is in subnet {item['subnet']!r} as {', '.join(item['addresses'])}"
    )
