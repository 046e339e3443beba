"""Numbers for classes and subnets: the same whatever else comes and goes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from ringfence.compile.plan import ELSEWHERE_CLASS, OUTSIDE_CLASS
from ringfence.policy.decisions import PolicyClass

Thing = TypeVar("Thing")

RESERVED = frozenset({OUTSIDE_CLASS, ELSEWHERE_CLASS})
"""Numbers that no class gets."""


def hashed(of: PolicyClass) -> int:
    """The number that a class would like to have: 32 bits of a hash."""
    return _hash(of.vpc, of.nic, *of.groups)


def class_ids(classes: Iterable[PolicyClass]) -> dict[PolicyClass, int]:
    """Number the classes.

    Two classes with the same hash (an even chance among 80,000 classes) are told apart in a fixed order.
    """
    return _told_apart({of: hashed(of) for of in sorted(set(classes))})


def subnet_numbers(subnets: Iterable[str]) -> dict[str, int]:
    """Number the subnets of a VPC that have a network ACL, by their names, in the same way."""
    return _told_apart({name: _hash(name) for name in sorted(set(subnets))})


def _hash(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:4])


def _told_apart(wanted: Mapping[Thing, int]) -> dict[Thing, int]:
    numbers: dict[Thing, int] = {}
    taken = set(RESERVED)
    for thing, number in wanted.items():
        while number in taken:
            number = (number + 1) & 0xFFFFFFFF
        taken.add(number)
        numbers[thing] = number
    return numbers
