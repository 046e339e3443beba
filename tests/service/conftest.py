"""One process from which all servers of a test run are forked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service.servers import Servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Where servers can be started; those that still run are killed at the end."""
    made = Servers(tmp_path_factory.mktemp("servers") / "log")
    yield made
    made.close()
