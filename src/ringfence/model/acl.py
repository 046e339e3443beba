"""Network ACLs, and the lines that they share with the firewalls on a peering and at the internet border.

::

    ACL RULE = [in|out]  allow|deny  PROTO [PORTS]  from SIDE [port PORTS]  to SIDE  [disabled]  ["description"]
    SIDE     = any | PREFIX | NAME of an address group

Lines count in the order in which they stand; the first that matches decides. A line of the firewall on a peering has no
direction: its two sides say which way it looks.
"""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.errors import NotationError
from ringfence.model.address import Family, Prefix
from ringfence.model.rule import (
    ACTIONS,
    DIRECTIONS,
    Action,
    AddressGroupRemote,
    AnyRemote,
    Direction,
    GroupRemote,
    Remote,
    check_description,
    check_id,
    check_ports,
    check_side,
    common_families,
    content_id,
    parse_remote,
    read_ports,
    read_side,
    read_source_ports,
)
from ringfence.model.service import ALL_PORTS, PortSet, Protocol
from ringfence.model.words import Words, quote

Side = AnyRemote | Prefix | AddressGroupRemote
"""One side of an ACL rule: a security group cannot stand there."""

_FORM = 'write: in|out allow|deny PROTO [PORTS] from SIDE [port PORTS] to SIDE [disabled] ["description"]'


_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class AclRule:
    """One line of a network ACL (SEMANTICS.md 4.1, 4.2) or of a firewall (4.3), by both of a packet's sides.

    ``direction`` is None on a peering. ``ports`` are the destination's. ``given_id`` as of a security group's rule.
    ``name`` is what people call the line, in the clouds' APIs; it means nothing.
    """

    action: Action
    protocol: Protocol
    source: Side = AnyRemote.ANY
    destination: Side = AnyRemote.ANY
    direction: Direction | None = None
    ports: PortSet = ALL_PORTS
    source_ports: PortSet = ALL_PORTS
    enabled: bool = True
    description: str = ""
    given_id: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        check_ports(self.protocol, self.ports, self.source_ports)
        check_side(self.protocol, self.source)
        check_side(self.protocol, self.destination)
        if not self.families:
            raise NotationError(
                f"{self.source} and {self.destination} are of different families", "give both sides one family"
            )
        if self.given_id:
            check_id(self.given_id)
        check_description(self.description)
        _check_line_name(self.name)

    @classmethod
    def parse(cls, text: str) -> AclRule:
        """Read one line; raises `NotationError`."""
        words = Words(text, "rule", _FORM)
        direction = DIRECTIONS[words.take("direction")] if words.peek() in DIRECTIONS else None
        action = ACTIONS[words.one_of("action", ("allow", "deny"))]
        protocol = Protocol.parse(words.take("protocol"))
        ports = read_ports(words)
        words.one_of("preposition", ("from",))
        source = _side(read_side(words))
        source_ports = read_source_ports(words)
        words.one_of("preposition", ("to",))
        destination = _side(read_side(words))
        enabled, description = not words.skip("disabled"), words.quoted()
        words.end()
        return cls(action, protocol, source, destination, direction, ports, source_ports, enabled, description)

    @property
    def families(self) -> tuple[Family, ...]:
        """The address families in which it can match."""
        return common_families(self.protocol, self.source, self.destination)

    @property
    def key(self) -> str:
        """What makes the rule this rule: everything but description, enabled, name and id."""
        way = f"{self.direction.word} " if self.direction else ""
        ports = f" {self.ports}" if self.ports else ""
        comes_from = f" port {self.source_ports}" if self.source_ports else ""
        return f"{way}{self.action} {self.protocol}{ports} from {self.source}{comes_from} to {self.destination}"

    def id_in(self, owner: str) -> str:
        """The rule's id within its ACL or firewall: its own, or one made of what it says, wherever it stands."""
        return self.given_id or content_id("acr", owner, self.key)

    def __str__(self) -> str:
        disabled = "" if self.enabled else " disabled"
        return self.key + disabled + (f" {quote(self.description)}" if self.description else "")


def _check_line_name(name: str) -> None:
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise NotationError(f"{name!r} is no name of a rule", f"use at most {_LONGEST_NAME} characters in one line")


def parse_side(text: str) -> Side:
    """Read one side by itself; raises `NotationError`."""
    return _side(parse_remote(text))


def _side(remote: Remote) -> Side:
    if isinstance(remote, GroupRemote):
        raise NotationError(f"{str(remote)!r} cannot stand in an ACL", "use any, a prefix or an address group")
    return remote


@dataclass(frozen=True, slots=True)
class NetworkAcl:
    """A list of rules at the edge of subnets. ``vpc`` is empty where subnets of any VPC may use it.

    Whether it keeps state is for the profile of the VPC to say. Disabled, only its fixed rules are left, the last of
    which denies everything (SEMANTICS.md 4.1).
    """

    name: str
    rules: tuple[AclRule, ...] = ()
    vpc: str = ""
    enabled: bool = True
    description: str = ""
    account: str = ""
    """Whose limits it has; empty for one's own."""

    def rules_of(self, direction: Direction) -> tuple[AclRule, ...]:
        """The enabled rules of one direction in their order; none if the ACL is disabled."""
        return tuple(rule for rule in self.rules if self.enabled and rule.enabled and rule.direction is direction)

    def __str__(self) -> str:
        return self.name
