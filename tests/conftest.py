"""What every test room may use: labs with names of their own that are gone afterwards, and one rule for root."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest
from hypothesis.internal.conjecture import engine
from hypothesis.vendor.pretty import RepresentationPrinter

from ringfence.errors import LabMissing
from ringfence.lab.lab import down
from ringfence.model.service import Protocol

pytest_plugins = ["tests.anew", "tests.postgres"]

engine.MAX_SHRINKING_SECONDS = 40
"""A failing law of whole worlds could be made smaller for minutes: longer than a test may take. Then the time limit
struck within a strategy, and hypothesis told of a flaky strategy instead of what had failed."""


def _briefly(self: Protocol, printer: RepresentationPrinter, cycle: bool) -> None:
    """Hypothesis takes a dataclass's ClassVars for fields: a failing world was told in 50 MB of nested protocols."""
    printer.text(repr(self))


setattr(Protocol, "_repr_pretty_", _briefly)  # noqa: B010  # which the type does not have

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "packets: makes network namespaces and sends packets in them; needs root")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The only rule by which tests are skipped: without root, those that make namespaces (or ask for a lab's name)."""
    if os.geteuid() == 0:
        return
    skip = pytest.mark.skip(reason="packet tests make network namespaces, which only root may: run make test as root")
    for item in items:
        if item.get_closest_marker("packets") or "lab_names" in getattr(item, "fixturenames", ()):
            item.add_marker(skip)


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


@pytest.fixture(scope="session")
def lab_names() -> Iterator[Callable[[], str]]:
    """Gives a lab name that no other process uses at each call; labs of these names are down at the end of the run."""
    given: list[str] = []
    numbers = count()

    def fresh() -> str:
        given.append(f"t{_base36(os.getpid())}x{_base36(next(numbers) + 1)}")
        return given[-1]

    yield fresh
    for name in given:
        with suppress(LabMissing):
            down(name)


@pytest.fixture
def lab_name(lab_names: Callable[[], str]) -> Iterator[str]:
    """A lab name for one test; whatever becomes of the test, no lab of that name is up after it."""
    name = lab_names()
    yield name
    with suppress(LabMissing):
        down(name)
