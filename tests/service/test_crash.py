"""``kill -9`` of a server at random moments under load; `tests.service.soak` does it more often."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.places import bare
from tests.service.crashing import VPC, Crashing
from tests.service.servers import Servers

MOMENTS = 25


@pytest.mark.packets
def test_what_was_acknowledged_is_there_and_enforced_after_each_kill(servers: Servers, tmp_path: Path) -> None:
    """Twenty-five moments, with an agent in the server that enforces in a namespace."""
    with bare(VPC) as prefix:
        crashing = Crashing(servers, tmp_path, prefix)
        crashing.run(MOMENTS, seed=1)
    assert len(crashing.acknowledged) > MOMENTS


def test_what_was_acknowledged_is_there_after_each_kill(servers: Servers, tmp_path: Path) -> None:
    """The same without anything to enforce, as it runs for everybody."""
    crashing = Crashing(servers, tmp_path)
    crashing.run(5, seed=2)
    assert len(crashing.acknowledged) > 5
