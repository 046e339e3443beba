"""Drift: whether the kernel still holds what was enforced, told in words, and mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ringfence.agent.enforcer import Enforcer
from ringfence.agent.outcome import words_of
from ringfence.model.topology import Vpc

_SHOWN = 3  # names in one line


@dataclass(frozen=True, slots=True)
class Drift:
    """A VPC in which the kernel does not hold what was enforced."""

    vpc: str
    found: tuple[str, ...]
    """What is other than it should be."""
    commands: int = 0
    """How many nft commands mend it, or have mended it."""
    repaired: bool = False
    error: Exception | None = None
    """Why it could not be looked at or mended."""

    @property
    def detail(self) -> str:
        """All of it in one line."""
        return "; ".join([*self.found, *([words_of(self.error)] if self.error else [])])


def audit(enforcer: Enforcer) -> list[Drift]:
    """The VPCs that have drifted from the world that was enforced last; changes nothing but what an audit needs.

    That includes VPCs whose last change failed. Slow: it reads every rule of every VPC back: see `Driver.audit`.
    """
    world = enforcer.world
    found = (_audited(enforcer, vpc) for vpc in (world.vpcs.values() if world else ()))
    return [drift for drift in found if drift]


def repair(enforcer: Enforcer) -> list[Drift]:
    """Look as `audit` does, mend what has drifted, and tell what was found and what became of it.

    No live connection is cut: what began because of the drift cannot be told from what an earlier policy allowed.
    """
    world = enforcer.world
    return [_mended(enforcer, world.vpcs[drift.vpc], drift) for drift in audit(enforcer)] if world else []


def _audited(enforcer: Enforcer, vpc: Vpc) -> Drift | None:
    try:
        driver, plan = enforcer.fabric.driver(vpc.name), enforcer.plan_of(vpc.name)
        if driver is None or plan is None:
            gone = (f"there is no network namespace {enforcer.fabric.namespace(vpc.name)} any more",)
            return Drift(vpc.name, gone) if plan and vpc.name not in enforcer.absent else None
        commands = driver.audit(plan)
        found = (*told(commands), *enforcer.fabric.closed(vpc))
    except Exception as error:  # told; other VPCs are looked at all the same
        return Drift(vpc.name, (), error=error)
    return Drift(vpc.name, found, len(commands)) if found else None


def _mended(enforcer: Enforcer, vpc: Vpc, drift: Drift) -> Drift:
    try:
        driver, plan = enforcer.fabric.driver(vpc.name), enforcer.plan_of(vpc.name)
        if driver is None or plan is None:
            return drift
        commands = driver.apply(plan)
        enforcer.fabric.open(vpc)
    except Exception as error:
        return replace(drift, error=error)
    return replace(drift, commands=commands, repaired=True, error=None)


def told(commands: Iterable[str]) -> tuple[str, ...]:
    """What is wrong with a table that these nft commands would mend: a line a kind of fault, with some names."""
    faults: dict[str, list[str]] = {}
    for fault, name in _faults(commands):
        faults.setdefault(fault, []).append(name)
    return tuple(f"{fault}: {_listed(names)}" for fault, names in faults.items())


def _faults(commands: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The kind of each fault, and the name of what has it."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for command in commands:
        verb, what, _, table, *rest = command.replace("ct helper", "helper", 1).split(None, 5)
        verbs.setdefault((what, rest[0] if rest else table), set()).add(verb)
    for (what, name), done in verbs.items():
        if what == "element" and "add" not in verbs.get(("map", name), verbs.get(("set", name), set())):
            yield _element_fault(done), name
        elif what not in ("element", "rule"):  # the rules of a chain are told with the chain
            yield f"{what} {_fault(done)}", name


def _fault(verbs: set[str]) -> str:
    if {"add", "delete"} <= verbs:
        return "of another kind"
    return "too many" if "delete" in verbs else "missing" if "add" in verbs else "that says something else"


def _element_fault(verbs: set[str]) -> str:
    which = "that say something else" if len(verbs) > 1 else "missing" if "add" in verbs else "too many"
    return f"elements {which} in"


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
