"""Which test proves which operation of the clouds' APIs: the page of docs/ is made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

_Test = TypeVar("_Test", bound=Callable[..., Any])

PROOFS: dict[str, list[str]] = {}
"""By the operation's label, ``alibaba JoinSecurityGroup`` or ``huawei v3 list_ports``: modules and names of tests."""


def proves(*labels: str) -> Callable[[_Test], _Test]:
    """Say that a test calls these operations through an SDK and looks at what comes of it."""

    def note(test: _Test) -> _Test:
        for label in labels:
            PROOFS.setdefault(label, []).append(f"{test.__module__.removeprefix('tests.')}:{test.__name__}")
        return test

    return note
