"""No parameter of the vendor's own requests is unknown: it is served, ignored by name, or refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_vpc20160428 import models as vpc

from ringfence.wire.alibaba.operation import ALWAYS, COMMON, LEGACY, Product
from ringfence.wire.alibaba.registry import OPERATIONS
from tests.wire.alibaba.filled import filled, old_parameters
from tests.wire.cloud import Cloud

pytestmark = pytest.mark.packets


def _told(ask: Callable[[Any], Any], request: Any) -> str:
    """What is said against a request; nothing, if it is done."""
    try:
        ask(request)
    except AlibabaCloudException as error:
        return str(error.message)
    return ""


def test_everything_that_the_sdks_can_send_is_known_by_name(shared: Cloud) -> None:
    sdks = shared.tenant()
    clients: dict[Product, tuple[Any, Any]] = {Product.ECS: (sdks.ecs(), ecs), Product.VPC: (sdks.alibaba_vpc(), vpc)}
    for (name, product), operation in OPERATIONS.items():
        client, models = clients[product]
        call = next(it for it in dir(client) if it.replace("_", "") == name.lower())
        assert "no such parameter" not in _told(getattr(client, call), filled(getattr(models, f"{name}Request"))), name
        if product is Product.ECS:
            unknown = old_parameters(name) - operation.known - ALWAYS - LEGACY - COMMON
            assert not {it for it in unknown if not re.fullmatch(r"Filter\.[1-4]\.(Key|Value)", it)}, name
