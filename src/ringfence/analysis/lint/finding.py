"""Findings: what is said of a world, how grave it is, where, why, and what to do about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum

from ringfence.analysis.rules.lines import FIELDS
from ringfence.model.acl import AclRule
from ringfence.model.flow import Flow
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Rule
from ringfence.model.validation import Path


class Severity(Enum):
    """How grave a finding is, the gravest first; prints as ``error``, ``warning`` or ``note``."""

    ERROR = 0
    WARNING = 1
    NOTE = 2

    @property
    def word(self) -> str:
        """The word for it; SARIF has the same levels."""
        return self.name.lower()

    def reaches(self, threshold: Severity) -> bool:
        """Whether it is at least as grave."""
        return self.value <= threshold.value

    def __str__(self) -> str:
        return self.word


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is: a thing by its kind and name, and where it is about one, a rule by id and text.

    ``path`` leads there as that of a `ringfence.model.validation.Problem` does, so that a world file can tell the line.
    """

    kind: str
    name: str
    path: Path
    rule_id: str = ""
    rule: str = ""
    key: str = ""
    """What makes the rule this rule: its text without the description."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f": {self.rule}" if self.rule else "")


def at_group(group: SecurityGroup) -> Place:
    """The place of a group."""
    return Place("group", group.name, ("groups", group.name))


def at_rule(group: SecurityGroup, rule: Rule) -> Place:
    """The place of a rule of a group."""
    path = ("groups", group.name, "rules", [*map(id, group.rules)].index(id(rule)))
    return Place("group", group.name, path, rule.id_in(group.name), str(rule), rule.key)


def at_line(section: str, name: str, index: int, line: AclRule) -> Place:
    """The place of a line of an ACL or a firewall."""
    kind = {"acls": "ACL", "vpcs": "border of VPC", "peerings": "peering"}[section]
    return Place(kind, name, (section, name, FIELDS[section], index), line.id_in(name), str(line), line.key)


def at_thing(section: str, kind: str, name: str) -> Place:
    """The place of anything else that has a name in a section of a world."""
    return Place(kind, name, (section, name))


@dataclass(frozen=True, slots=True)
class Removal:
    """What may go without a change of any verdict: a thing of a section, of a group only the rule with an id, or of an
    ACL or a firewall only the line at a place.
    """

    section: str
    name: str
    rule_id: str = ""
    line: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of the thing goes."""
        return not self.rule_id and self.line is None


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do, in a sentence; ``removal`` where that is safe to be done by a program."""

    text: str
    removal: Removal | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a check. ``about`` tells several of one check at one place apart, as a port does.

    ``flow`` is an example that `ringfence.policy.evaluate` says the same of, where there is one.
    """

    check: str
    severity: Severity
    place: Place
    reason: str
    fix: Fix
    about: str = ""
    flow: Flow | None = field(default=None, compare=False)

    @property
    def fingerprint(self) -> str:
        """What it is known by in a list of accepted findings: the same wherever the rule stands in whichever file.

        A finding that has become graver is another one.
        """
        parts = (self.check, str(self.severity), self.place.kind, self.place.name, self.place.key, self.about)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def __str__(self) -> str:
        return f"{self.severity}: {self.place}: {self.reason} [{self.check}]"
