"""The tenant that each of these tests takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.wire.alibaba.shop import Shop, shop_of
from tests.wire.cloud import Cloud


@pytest.fixture
def shop(shared: Cloud) -> Iterator[Shop]:
    """A fresh tenant in the module's cloud."""
    with shop_of(shared) as made:
        yield made
