"""The cloud that the tests of the wire APIs share, and quiet about what the SDKs do."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.wire.cloud import Cloud, cloud


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, lab_names: Callable[[], str]) -> Iterator[Cloud]:
    """A cloud for the tests of one module, each of which takes a tenant of its own; needs root."""
    with cloud(tmp_path_factory.mktemp("cloud"), lab_names()) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path, lab_name: str) -> Iterator[Cloud]:
    """A cloud for one test; needs root."""
    with cloud(tmp_path, lab_name) as made:
        yield made


@pytest.fixture(autouse=True)
def _sdks_may_warn() -> Iterator[None]:
    """The SDKs use what Python and urllib3 deprecate; that is theirs to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
