"""Security-group rules and the notation in which people write them.

::

    RULE   = in|out  allow|deny  PROTO [PORTS]  from|to REMOTE  [nic internet|intranet]  [priority N]
             [managed NAME]  [disabled]  ["description"]
    PORTS  = 22,80-90 | NAME of a port list
    REMOTE = any | PREFIX | group [ACCOUNT/]NAME | NAME of an address group

A five-tuple rule (SEMANTICS.md 1.2) names the port's own side as well, and the ports that the packet comes from::

    in allow tcp 80 from 10.0.0.0/8 port 1024-65535 to 10.0.1.11/32
    out deny udp 53 to any from any port 1-1023

Every address of one family as the own side is no more than a rule of that family, as Huawei's rules all are::

    in allow all from group sg-web to ::/0
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from ringfence.errors import NotationError
from ringfence.model.address import Family, Prefix
from ringfence.model.lazy import lazy
from ringfence.model.names import check_name, is_whole
from ringfence.model.port_list import RulePorts, parse_ports
from ringfence.model.service import ALL_PORTS, PortSet, Protocol
from ringfence.model.words import Words, quote


class Direction(StrEnum):
    """Which way a packet crosses the port that the rule guards; a rule prints it as ``in`` or ``out``."""

    INGRESS = "ingress"
    EGRESS = "egress"

    @property
    def word(self) -> str:
        """The short word of the notation."""
        return "in" if self is Direction.INGRESS else "out"

    @property
    def preposition(self) -> str:
        """What stands before the remote: ``from`` or ``to``."""
        return "from" if self is Direction.INGRESS else "to"


class Action(StrEnum):
    """What a rule does with a packet that it matches."""

    ALLOW = "allow"
    DENY = "deny"


class AnyRemote(StrEnum):
    """Every address: 0.0.0.0/0 and ::/0, two rules to a quota."""

    ANY = "any"


@dataclass(frozen=True, slots=True, order=True)
class GroupRemote:
    """The members of a security group, by their private addresses of both families (SEMANTICS.md section 5).

    ``account`` says whose group it is; empty for one's own.
    """

    name: str
    account: str = ""

    def __str__(self) -> str:
        return f"group {self.account}/{self.name}" if self.account else f"group {self.name}"


@dataclass(frozen=True, slots=True, order=True)
class AddressGroupRemote:
    """The entries of an address group."""

    name: str

    def __str__(self) -> str:
        return self.name


Remote = AnyRemote | Prefix | GroupRemote | AddressGroupRemote


def parse_remote(text: str) -> Remote:
    """Read the remote side of a rule; whether a named group exists is for the world to say."""
    return _known_remote(text) if len(text) <= _SHORT else _read_remote(text)


def _read_remote(text: str) -> Remote:
    word, _, rest = text.strip().partition(" ")
    if word == "any" and not rest:
        return AnyRemote.ANY
    if word == "group" and rest:
        account, slash, name = rest.strip().rpartition("/")
        return GroupRemote(check_name(name), check_name(account) if slash else "")
    if rest:
        raise NotationError(f"{text!r} is not a remote", "use any, a prefix, 'group NAME' or an address group's name")
    if "/" in word or ":" in word or re.fullmatch(r"[\d.]+", word):
        return Prefix.parse(word)
    return AddressGroupRemote(check_name(word))


_SHORT = 64
_known_remote = lru_cache(maxsize=4096)(_read_remote)  # rules name the same few again and again, and share them then


class NicType(StrEnum):
    """Which interface of an instance of the classic network is meant (SEMANTICS.md 2.2); a VPC has intranet only."""

    INTRANET = "intranet"
    INTERNET = "internet"


_ID = re.compile(r"(?!default-|intra-|platform-|penalty-|exempt-)[A-Za-z0-9][A-Za-z0-9:._-]{0,63}")  # not the implicit
DIRECTIONS = {"in": Direction.INGRESS, "out": Direction.EGRESS}
"""Directions by the word of the notation."""
ACTIONS = {action.value: action for action in Action}
"""Actions by the word of the notation."""
_FORM = 'write: in|out allow|deny PROTO [PORTS] from|to REMOTE [priority N] [disabled] ["description"]'


def check_id(text: str) -> str:
    """Give back an id that a rule may bring along; raises `NotationError`."""
    if not _ID.fullmatch(text):
        raise NotationError(f"{text!r} is not a rule id", "use up to 64 letters, digits, ':', '_', '.' or '-'")
    return text


def check_description(text: str) -> str:
    """Give back a description that fits into a line; raises `NotationError`."""
    if text and (len(text) > 512 or "\n" in text):
        raise NotationError("the description is too long or has a line break", "use at most 512 characters in one line")
    if text and not is_whole(text):
        raise NotationError("the description holds a zero byte or half of a surrogate pair", "use Unicode text")
    return text


def check_side(protocol: Protocol, side: Remote) -> None:
    """Raise `NotationError` if a prefix is of a family on which the protocol does not exist."""
    if isinstance(side, Prefix) and side.family not in protocol.families:
        families = " and ".join(map(str, protocol.families))
        hint = f"use {'icmpv6' if protocol == Protocol.ICMP else 'icmp'} for it"
        raise NotationError(f"{protocol} exists on {families} only, {side} does not", hint)


def check_ports(protocol: Protocol, *sets: RulePorts) -> None:
    """Raise `NotationError` if a protocol that has no ports is given some."""
    if not protocol.has_ports and any(sets):
        raise NotationError(f"protocol {protocol} takes no ports", "leave them out, or use tcp or udp")


def common_families(protocol: Protocol, *sides: Remote | None) -> tuple[Family, ...]:
    """The families in which a rule with these sides can match."""
    wanted = {side.family for side in sides if isinstance(side, Prefix)}
    return tuple(family for family in protocol.families if wanted <= {family})


def content_id(kind: str, *parts: str) -> str:
    """An id made of what a thing says: ``kind-`` and twelve digits of a hash."""
    return f"{kind}-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


class RuleSize(NamedTuple):
    """What of a rule counts towards limits (SEMANTICS.md section 6)."""

    families: int
    """Two for ``any``."""
    ranges: int
    """Port ranges that it lists."""
    address_group: str
    """The one that it names, if any."""
    port_list: str
    """The same."""


@dataclass(frozen=True)
class Rule:
    """One rule of a security group: a remote, a protocol and destination ports, allowed or denied.

    ``priority`` is 1 (strongest) to 100. A disabled rule is not evaluated. ``given_id`` is an id that the rule brought
    along (from a server or another cloud); without one, `Rule.id_in` derives it from what the rule says. ``local`` and
    ``source_ports`` make it a five-tuple rule: the port's own address, and the ports that the packet comes from.
    ``nic`` is for groups of the classic network. ``managed`` names the service that the rule belongs to: the tenant
    sees it and may not change it (SEMANTICS.md 5.1).
    """

    direction: Direction
    action: Action
    protocol: Protocol
    remote: Remote
    ports: RulePorts = ALL_PORTS
    priority: int = 1
    enabled: bool = True
    description: str = ""
    given_id: str = ""
    local: Prefix | None = None
    source_ports: PortSet = ALL_PORTS
    nic: NicType | None = None
    managed: str = ""

    def __post_init__(self) -> None:
        check_ports(self.protocol, self.ports, self.source_ports)
        check_side(self.protocol, self.remote)
        if self.local:
            check_side(self.protocol, self.local)
            if isinstance(self.remote, Prefix) and self.remote.family is not self.local.family:
                raise NotationError(f"{self.remote} and {self.local} are of different families", "give both one family")
        if not 1 <= self.priority <= 100:
            raise NotationError(f"priority {self.priority} is out of range", "use 1 (strongest) to 100")
        if self.nic is NicType.INTERNET and isinstance(self.remote, GroupRemote):
            raise NotationError("a group's addresses are intranet addresses", "leave out nic internet, or use a prefix")
        if self.given_id:
            check_id(self.given_id)
        if self.managed:
            check_name(self.managed)
        check_description(self.description)

    def called(self, given_id: str) -> Rule:
        """The same rule under an id of its own; raises `NotationError`."""
        made = object.__new__(Rule)  # `replace` would check again all that is checked already
        known = vars(made)
        known.update(vars(self))
        known["given_id"] = check_id(given_id)
        return made

    @classmethod
    def parse(cls, text: str, *, default_priority: int = 1) -> Rule:
        """Read the short form. ``default_priority`` is what a rule without one gets; raises `NotationError`."""
        return _read(Words(text, "rule", _FORM), default_priority)

    @property
    def families(self) -> tuple[Family, ...]:
        """The address families in which the rule can match."""
        return common_families(self.protocol, self.remote, self.local)

    @lazy
    def size(self) -> RuleSize:
        """What of it counts towards limits."""
        remote, ports = self.remote, self.ports
        families = len(self.families) if remote is AnyRemote.ANY else 1
        named = remote.name if isinstance(remote, AddressGroupRemote) else ""
        ranges, listed = (len(ports.ranges) or 1, "") if isinstance(ports, PortSet) else (1, ports.name)
        return RuleSize(families, ranges, named, listed)

    @property
    def is_five_tuple(self) -> bool:
        """Whether it says more than family, remote, protocol and destination ports."""
        return bool((self.local and self.local.length) or self.source_ports)

    @lazy
    def key(self) -> str:
        """What makes the rule this rule and no other: all but description, enabled, managed, id (SEMANTICS.md 1.2)."""
        ports = f" {said}" if (said := str(self.ports)) else ""
        nic = f" nic {self.nic}" if self.nic else ""
        return (
            f"{self.direction.word} {self.action} {self.protocol}{ports} {self._sides()}{nic} priority {self.priority}"
        )

    def _sides(self) -> str:
        remote, local = f"{self.remote}", f"{self.local or 'any'}"
        comes_from = f" port {self.source_ports}" if self.source_ports else ""
        if self.direction is Direction.INGRESS:
            return f"from {remote}{comes_from}" + (f" to {local}" if self.local else "")
        return f"to {remote}" + (f" from {local}{comes_from}" if self.local or self.source_ports else "")

    def id_in(self, group: str) -> str:
        """The rule's id within a group: its own, or one made from group and `key`, stable without a store.

        It is what kernel elements, traces and logs carry.
        """
        return self.given_id or content_id("sgr", group, self.key)

    def __str__(self) -> str:
        managed = f" managed {self.managed}" if self.managed else ""
        disabled = "" if self.enabled else " disabled"
        return self.key + managed + disabled + (f" {quote(self.description)}" if self.description else "")


def _read(words: Words, default_priority: int) -> Rule:
    direction = DIRECTIONS[words.one_of("direction", ("in", "out"))]
    action = ACTIONS[words.one_of("action", ("allow", "deny"))]
    protocol = Protocol.parse(words.take("protocol"))
    ports = _read_ports(words)
    word = words.one_of("preposition", ("from", "to"))
    if word != direction.preposition:
        raise NotationError(f"an '{direction.word}' rule has no {word!r}", f"write {direction.preposition!r}")
    remote = read_side(words)
    if words.at_end:  # as most rules do
        return Rule(direction, action, protocol, remote, ports, default_priority)
    source_ports, local = _read_local(words, direction)
    nic = NicType(words.one_of("nic", ("internet", "intranet"))) if words.skip("nic") else None
    priority = words.number("priority") if words.skip("priority") else default_priority
    managed = words.take("name of the service") if words.skip("managed") else ""
    enabled, description = not words.skip("disabled"), words.quoted()
    words.end()
    return Rule(
        direction,
        action,
        protocol,
        remote,
        ports,
        priority,
        enabled,
        description,
        "",
        local,
        source_ports,
        nic,
        managed,
    )


def _read_local(words: Words, direction: Direction) -> tuple[PortSet, Prefix | None]:
    """What follows the remote: the ports of the source's side, and the port's own address."""
    source_ports = read_source_ports(words) if direction is Direction.INGRESS else ALL_PORTS
    local: Remote = AnyRemote.ANY
    if words.skip("to" if direction is Direction.INGRESS else "from"):
        local = read_side(words)
        if direction is Direction.EGRESS:
            source_ports = read_source_ports(words)
    if isinstance(local, GroupRemote | AddressGroupRemote):
        raise NotationError(f"{str(local)!r} cannot stand for the port's own side", "use any or a prefix")
    return source_ports, local if isinstance(local, Prefix) else None


def _read_ports(words: Words) -> RulePorts:
    return ALL_PORTS if words.peek() in ("from", "to") else parse_ports(words.take("remote"))


def read_ports(words: Words) -> PortSet:
    """The destination ports that may follow the protocol of a line of an ACL: a port list cannot stand there."""
    return ALL_PORTS if words.peek() in ("from", "to") else PortSet.parse(words.take("remote"))


def read_side(words: Words) -> Remote:
    """What follows ``from`` or ``to``."""
    word = words.take("remote")
    return parse_remote(f"group {words.take('group name')}" if word == "group" else word)


def read_source_ports(words: Words) -> PortSet:
    """The ports that may follow the source's side."""
    return PortSet.parse(words.take("source ports")) if words.skip("port") else ALL_PORTS
