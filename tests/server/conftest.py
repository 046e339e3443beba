"""Processes for the tests of the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.processes import Processes, processes


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Processes]:
    """Processes of one test."""
    with processes(tmp_path) as made:
        yield made
