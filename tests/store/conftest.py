"""Every test of the store runs on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from ringfence.store.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of a new store in one of the databases at each call."""
    if request.param == "postgresql":
        give: Callable[[], str] = request.getfixturevalue("postgres")
        return give
    numbers = count(1)
    return lambda: f"sqlite:///{tmp_path}/store{next(numbers)}.db"


@pytest.fixture
def url(fresh_url: Callable[[], str]) -> str:
    """The URL of a new store."""
    return fresh_url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A new store."""
    store = Store.open(url)
    yield store
    store.close()
