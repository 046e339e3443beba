"""Every operation that is served is proved by a test through an SDK, and the page of docs/ says which."""

from __future__ import annotations

from ringfence.wire.alibaba.registry import NOT_SERVED as NOT_BY_ALIBABA
from ringfence.wire.alibaba.registry import OPERATIONS as ALIBABA
from ringfence.wire.huawei.registry import OPERATIONS as HUAWEI
from tests.wire.page import PAGE, page
from tests.wire.proving import PROOFS


def test_the_page_is_the_newest() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.wire.page"


def test_every_operation_is_proved_and_nothing_else() -> None:
    page()
    served = {f"alibaba {name}" for name, _ in ALIBABA} | {f"huawei {call.label}" for call in HUAWEI}
    assert set(PROOFS) == served
    assert not set(NOT_BY_ALIBABA) & {name for name, _ in ALIBABA}
