"""All checks: what each is for, how grave its findings are, where it comes from; and `lint`, which asks them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ringfence.analysis.lint import breadth, exposure, in_force, limits, lockout, matching, needless, running, unused
from ringfence.analysis.lint.finding import Finding, Severity
from ringfence.analysis.lint.subject import Hits, Listening, Subject
from ringfence.model.world import World

_ERROR, _WARNING, _NOTE = Severity


@dataclass(frozen=True, slots=True)
class Check:
    """A check. ``name`` is its id for good, ``purpose`` what it finds and why that matters, ``fix`` what to do."""

    name: str
    severities: tuple[Severity, ...]
    purpose: str
    fix: str
    source: str
    find: Callable[[Subject], Iterator[Finding]]


CHECKS = (
    Check(
        exposure.ALL_PORTS_OPEN,
        (_ERROR, _WARNING, _NOTE),
        "Everybody may use every port. An error where the internet really reaches a member of the group, a warning"
        " where only some addresses of it do, a note where an ACL, a deny or a firewall stops it, or nobody is there.",
        "Allow the ports that are served, each from where it is needed.",
        "SEMANTICS 8.5; Security Group Configuration Examples",
        exposure.all_ports_open,
    ),
    Check(
        exposure.RISKY_PORT_OPEN,
        (_ERROR, _WARNING, _NOTE),
        "Everybody may use a port of the profile's `risky_ports`: by one rule, or by several whose prefixes together"
        " are all of the internet. Severities as above.",
        "Allow it from the addresses or the group that need it.",
        "SEMANTICS 8.5, 13.11; Security Group Configuration Examples",
        exposure.risky_port_open,
    ),
    Check(
        breadth.WHOLE_PRIVATE_RANGE,
        (_WARNING,),
        "A whole private range such as 10.0.0.0/8 may use every port; in the classic network, whose intranet is shared"
        " with other tenants, such a range or everybody may use any.",
        "Name the group whose members need it, or a shorter prefix, and the ports.",
        "Best practices for inbound rules; SEMANTICS 8.5",
        breadth.whole_private_range,
    ),
    Check(
        breadth.PREFIX_FOR_GROUP,
        (_NOTE,),
        "A prefix holds just the members of a group, or is a subnet whose ports are all in one: the group would follow"
        " who joins and leaves.",
        "Name the group; the finding says how.",
        "Best practices for inbound rules; SEMANTICS 8.5",
        breadth.prefix_for_group,
    ),
    Check(
        needless.SHADOWED,
        (_WARNING, _NOTE),
        "Stronger rules of the group together match all that the rule does, so it never decides; or lines before it do,"
        " in an ACL or a firewall. A warning where one of them says the opposite: then something does not work as it"
        " reads. Exact, whoever is in the groups that it names.",
        "`--fix` removes it: no packet is judged otherwise.",
        "SEMANTICS 8.3",
        needless.shadowed_rule,
    ),
    Check(
        needless.REDUNDANT,
        (_NOTE,),
        "Without the rule, others that are no stronger or the default decide alike, at every port that it guards."
        " Exact; any or all that are reported may go.",
        "`--fix` removes it: no packet is judged otherwise. Not where it is the default that decides alike: its ports"
        " may join a group that says otherwise.",
        "SEMANTICS 8.3",
        needless.redundant_rule,
    ),
    Check(
        needless.CONTRADICTORY,
        (_WARNING,),
        "Two rules of a group match the same and say the opposite; which one wins.",
        "Remove the one that is not meant; `--fix` removes the one that loses.",
        "SEMANTICS 2.1, 2.2, 8.5",
        needless.contradictory_rules,
    ),
    Check(
        matching.NEVER_MATCHES,
        (_WARNING, _NOTE),
        "The rule matches nothing. A warning where it cannot: the group that it names is in a VPC that is not peered,"
        " or the platform or the carriers block all that it allows. A note where it may yet: the rule is disabled, the"
        " group, address group or port list that it names is empty, or no member has an address of its family.",
        "Remove it, or add what is missing; `--fix` removes those that cannot match.",
        "SEMANTICS 2.3, 4.5, 5",
        matching.rule_never_matches,
    ),
    Check(
        unused.UNUSED_GROUP,
        (_NOTE,),
        "A group has no member, and no rule of another group names it.",
        "`--fix` removes it.",
        "SEMANTICS 8.5",
        unused.unused_group,
    ),
    Check(
        unused.UNUSED_OBJECT,
        (_NOTE,),
        "No rule names an address group or port list, or no subnet has an ACL.",
        "`--fix` removes it.",
        "SEMANTICS 1.3, 8.5",
        unused.unused_object,
    ),
    Check(
        unused.STALE_PREFIX,
        (_NOTE,),
        "A rule allows a prefix inside the VPC's space in which nobody has an address: often a machine that is gone,"
        " whose address the next one gets. The whole of a subnet is left alone.",
        "Name what is meant today, a group at best, or remove the rule.",
        "SEMANTICS 8.5",
        unused.stale_prefix,
    ),
    Check(
        lockout.EGRESS_LOCKED_OUT,
        (_WARNING,),
        "A port can reach nothing at all: no update, no name server, as when its outbound rules were deleted.",
        "Allow what it needs to send.",
        "SEMANTICS 0, row 3; 8.5",
        lockout.egress_locked_out,
    ),
    Check(
        lockout.LOGIN_LOCKED_OUT,
        (_ERROR, _WARNING),
        "An instance serves SSH or RDP, and nobody anywhere can reach it. An error with `--against OLD` where somebody"
        " could before.",
        "Allow it from a jump host's group or your office.",
        "Why Do My Security Group Rules Not Work?",
        lockout.login_locked_out,
    ),
    Check(
        limits.OVER_LIMIT,
        (_ERROR,),
        "A group or a port has more rules, references or members than its profile allows: the cloud refuses them, or"
        " advises against them.",
        "Remove what is redundant, merge rules, or spread the members.",
        "SEMANTICS 6, 13.8",
        limits.over_limit,
    ),
    Check(
        limits.NEAR_LIMIT,
        (_NOTE,),
        "A group or a port is at nine tenths of such a limit.",
        "The same, before it is urgent.",
        "SEMANTICS 6, 13.8",
        limits.near_limit,
    ),
    Check(
        in_force.OUT_OF_FORCE,
        (_WARNING,),
        "A group has more rules of one direction that name a group or an address group, or list ports that lie apart,"
        " than its cloud keeps in force (`set_rules_in_force`). Here all of them are, so the same rules would mean less"
        " there.",
        "Join address groups, name a subnet in place of a group, give each run of ports a rule of its own, or spread"
        " the rules over two groups.",
        "SEMANTICS 6, 8.5",
        in_force.out_of_force,
    ),
    Check(
        running.NOTHING_LISTENS,
        (_WARNING, _NOTE),
        "A rule opens a port on which nothing listens, or only on loopback. A warning where that is so at every member"
        " of which it is known (`serve` in a file, the sockets in a lab), a note where it is at some.",
        "Start the service, close the port, or put those that serve it into a group of their own.",
        "Why Do My Security Group Rules Not Work?",
        running.nothing_listens,
    ),
    Check(
        running.NEVER_HIT,
        (_NOTE,),
        "No packet has matched the rule since it is counted, and for how long that is. Only of a lab, which counts.",
        "If that is long enough to see all that uses it, remove it.",
        "SEMANTICS 7",
        running.never_hit,
    ),
)
"""Every check, in the order in which they are told of one severity."""


def lint(
    world: World,
    *,
    account: str = "",
    before: World | None = None,
    hits: Hits | None = None,
    listening: Listening | None = None,
    checks: Iterable[Check] = CHECKS,
) -> tuple[Finding, ...]:
    """All findings of a world, the gravest first, then in the order of `CHECKS` and of their places.

    ``account``: whose groups are looked at; empty in a world file. ``before`` is what to compare with, ``hits`` what
    was counted, ``listening`` what is known to listen; without it, what the world says that instances serve.
    """
    known = served(world) if listening is None else listening
    subject = Subject(world, account, before, hits, known)
    found = [finding for check in checks for finding in check.find(subject)]
    return tuple(sorted(found, key=lambda finding: finding.severity.value))


def served(world: World) -> Listening:
    """What instances serve by the world's word, where it says anything of one."""
    return {instance.name: instance.serve for instance in world.instances.values() if instance.serve}
