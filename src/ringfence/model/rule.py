"""Security-group rules and the notation in which people write them.

::

    RULE   = in|out  allow|deny  PROTO [PORTS]  from|to REMOTE  [priority N]  [disabled]  ["description"]
    REMOTE = any | PREFIX | group NAME | NAME of an address group
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from ringfence.errors import NotationError
from ringfence.model.address import Family, Prefix
from ringfence.model.names import check_name
from ringfence.model.service import ALL_PORTS, PortSet, Protocol


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
    """The members of a security group, by their private addresses of both families (SEMANTICS.md section 5)."""

    name: str

    def __str__(self) -> str:
        return f"group {self.name}"


@dataclass(frozen=True, slots=True, order=True)
class AddressGroupRemote:
    """The entries of an address group."""

    name: str

    def __str__(self) -> str:
        return self.name


Remote = AnyRemote | Prefix | GroupRemote | AddressGroupRemote


def parse_remote(text: str) -> Remote:
    """Read the remote side of a rule; whether a named group exists is for the world to say."""
    word, _, rest = text.strip().partition(" ")
    if word == "any" and not rest:
        return AnyRemote.ANY
    if word == "group" and rest:
        return GroupRemote(check_name(rest.strip()))
    if rest:
        raise NotationError(f"{text!r} is not a remote", "use any, a prefix, 'group NAME' or an address group's name")
    if "/" in word or ":" in word or re.fullmatch(r"[\d.]+", word):
        return Prefix.parse(word)
    return AddressGroupRemote(check_name(word))


_ID = re.compile(r"(?!default-|intra-)[A-Za-z0-9][A-Za-z0-9:._-]{0,63}")  # but not those of implicit decisions
_DIRECTIONS = {"in": Direction.INGRESS, "out": Direction.EGRESS}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')
_FORM = 'write: in|out allow|deny PROTO [PORTS] from|to REMOTE [priority N] [disabled] ["description"]'


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a security group: a remote, a protocol and destination ports, allowed or denied.

    ``priority`` is 1 (strongest) to 100. A disabled rule is not evaluated. ``given_id`` is an id that the rule brought
    along (from a server or another cloud); without one, `Rule.id_in` derives it from what the rule says.
    """

    direction: Direction
    action: Action
    protocol: Protocol
    remote: Remote
    ports: PortSet = ALL_PORTS
    priority: int = 1
    enabled: bool = True
    description: str = ""
    given_id: str = ""

    def __post_init__(self) -> None:
        if self.ports and not self.protocol.has_ports:
            raise NotationError(f"protocol {self.protocol} takes no ports", "leave them out, or use tcp or udp")
        if not 1 <= self.priority <= 100:
            raise NotationError(f"priority {self.priority} is out of range", "use 1 (strongest) to 100")
        if isinstance(self.remote, Prefix) and self.remote.family not in self.protocol.families:
            families = " and ".join(map(str, self.protocol.families))
            raise NotationError(f"{self.protocol} exists on {families} only, {self.remote} does not", _icmp_hint(self))
        if self.given_id and not _ID.fullmatch(self.given_id):
            raise NotationError(
                f"{self.given_id!r} is not a rule id", "use up to 64 letters, digits, ':', '_', '.' or '-'"
            )
        if len(self.description) > 512 or "\n" in self.description:
            raise NotationError(
                "the description is too long or has a line break", "use at most 512 characters in one line"
            )

    @classmethod
    def parse(cls, text: str, *, default_priority: int = 1) -> Rule:
        """Read the short form. ``default_priority`` is what a rule without one gets; raises `NotationError`."""
        return _Reader(text).rule(default_priority)

    @property
    def families(self) -> tuple[Family, ...]:
        """The address families in which the rule can match."""
        if isinstance(self.remote, Prefix):
            return (self.remote.family,)
        return self.protocol.families

    @property
    def key(self) -> str:
        """What makes the rule this rule and no other: everything but description, enabled and id (SEMANTICS.md 1.2)."""
        ports = f" {self.ports}" if self.ports else ""
        return (
            f"{self.direction.word} {self.action} {self.protocol}{ports} "
            f"{self.direction.preposition} {self.remote} priority {self.priority}"
        )

    def id_in(self, group: str) -> str:
        """The rule's id within a group: its own, or one made from group and `key`, stable without a store.

        It is what kernel elements, traces and logs carry.
        """
        return self.given_id or "sgr-" + hashlib.sha256(f"{group}\n{self.key}".encode()).hexdigest()[:12]

    def __str__(self) -> str:
        text = self.key
        if not self.enabled:
            text += " disabled"
        if self.description:
            escaped = self.description.replace("\\", "\\\\").replace('"', '\\"')
            text += f' "{escaped}"'
        return text


def _icmp_hint(rule: Rule) -> str:
    return f"use {'icmpv6' if rule.protocol == Protocol.ICMP else 'icmp'} for it"


class _Reader:
    """Reads one rule word by word, so that each message names the word that is wrong."""

    def __init__(self, text: str) -> None:
        self._words = _TOKEN.findall(text)
        if _TOKEN.sub("", text).strip():
            raise NotationError(f"a quote in {text!r} is not closed", "put the description in double quotes")
        self._next = 0

    def _peek(self) -> str:
        return self._words[self._next] if self._next < len(self._words) else ""

    def _take(self, what: str) -> str:
        word = self._peek()
        if not word:
            raise NotationError(f"the rule ends where its {what} should be", _FORM)
        self._next += 1
        return word

    def _one_of(self, what: str, choices: tuple[str, ...]) -> str:
        word = self._take(what)
        if word not in choices:
            raise NotationError(f"{word!r} stands where the {what} should be", f"use {' or '.join(choices)}")
        return word

    def rule(self, default_priority: int) -> Rule:
        direction = _DIRECTIONS[self._one_of("direction", ("in", "out"))]
        action = Action(self._one_of("action", ("allow", "deny")))
        protocol = Protocol.parse(self._take("protocol"))
        ports = ALL_PORTS
        if self._peek() not in ("from", "to"):
            ports = PortSet.parse(self._take("remote"))
        self._preposition(direction)
        remote = self._remote()
        priority, enabled, description = default_priority, True, ""
        if self._peek() == "priority":
            self._take("priority")
            priority = self._number("priority")
        if self._peek() == "disabled":
            self._take("disabled")
            enabled = False
        if self._peek().startswith('"'):
            description = re.sub(r"\\(.)", r"\1", self._take("description")[1:-1])
        if self._peek():
            raise NotationError(f"{self._peek()!r} is not understood here", _FORM)
        return Rule(direction, action, protocol, remote, ports, priority, enabled, description)

    def _preposition(self, direction: Direction) -> None:
        word = self._one_of("preposition", ("from", "to"))
        if word != direction.preposition:
            raise NotationError(f"an '{direction.word}' rule has no {word!r}", f"write {direction.preposition!r}")

    def _remote(self) -> Remote:
        word = self._take("remote")
        return parse_remote(f"group {self._take('group name')}" if word == "group" else word)

    def _number(self, what: str) -> int:
        word = self._take(what)
        if not (word.isascii() and word.isdigit()):
            raise NotationError(f"{word!r} is not a {what}", "use a number")
        return int(word)
