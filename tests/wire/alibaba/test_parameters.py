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
from tests.wire.alibaba.filled import filled, new_parameters, old_parameters
from tests.wire.cloud import Cloud

pytestmark = pytest.mark.packets
_ALWAYS = ALWAYS | LEGACY | COMMON
_FOUR_FILTERS = re.compile(r"Filter\.[1-4]\.(Key|Value)")
_OLDER = {"Tag.N.key", "Tag.N.value"}
"""Spellings of older documents (apis/alibaba.md, DescribeSecurityGroups)."""


def _told(ask: Callable[[Any], Any], request: Any) -> str:
    """What is said against a request; nothing, if it is done."""
    try:
        ask(request)
    except AlibabaCloudException as error:
        return str(error.message)
    return ""


def test_everything_that_the_sdks_can_send_is_known_by_name_and_nothing_else(shared: Cloud) -> None:
    sdks = shared.tenant()
    clients: dict[Product, tuple[Any, Any]] = {Product.ECS: (sdks.ecs(), ecs), Product.VPC: (sdks.alibaba_vpc(), vpc)}
    for (name, product), operation in OPERATIONS.items():
        client, models = clients[product]
        call = next(it for it in dir(client) if it.replace("_", "") == name.lower())
        request = filled(getattr(models, f"{name}Request"))
        assert "no such parameter" not in _told(getattr(client, call), request), name
        sent = new_parameters(request) | (old_parameters(name) if product is Product.ECS else set())
        assert not {it for it in sent - operation.known - _ALWAYS if not _FOUR_FILTERS.fullmatch(it)}, name
        assert not operation.known - sent - _ALWAYS - _OLDER, name
