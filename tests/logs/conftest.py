"""Fixtures of the tests of logs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nftables.kernel import Kernel, new_kernel


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with new_kernel() as made:
        yield made
