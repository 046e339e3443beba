"""What every test room may use: labs with names of their own that are gone afterwards, and one rule for root."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest

from ringfence.errors import LabMissing
from ringfence.lab.lab import down

pytest_plugins = ["tests.postgres"]

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
