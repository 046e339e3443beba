"""After a failure, what the tests of a module share is made anew: a lab left in the middle of a change fails the rest.

A plugin of pytest. It ends the module's fixtures as after its last test; the next test that asks for one sets it up.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    try:
        yield
    except BaseException:
        item.stash[_FAILED] = True
        raise
    finally:
        module = item.getparent(pytest.Module)
        if _FAILED in item.stash and module and module.parent:
            # As where the next test is of another module. pytest has no public name for it.
            item.session._setupstate.teardown_exact(module.parent)  # type: ignore[arg-type]  # any node will do
