"""What the tests of the API share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.asking import Town, town


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A served service with two tenants who have one of everything; a module's tests share it."""
    with town(tmp_path_factory.mktemp("town")) as made:
        yield made
