"""What is served at this address, for who asks for ``/`` without an action."""

from __future__ import annotations

from typing import Any

from ringfence.wire.alibaba.registry import OPERATIONS as ALIBABA
from ringfence.wire.huawei.projects import versions
from ringfence.wire.huawei.registry import OPERATIONS as HUAWEI


def index(origin: str) -> dict[str, Any]:
    """The APIs and the names of their operations; ``versions`` is what the SDKs of Huawei Cloud look for."""
    alibaba = sorted(f"{name} {product.value}" for name, product in ALIBABA)
    huawei = sorted(f"{it.name} {it.version}" for it in HUAWEI if it.path != "/")
    return {
        "versions": versions(origin),
        "ringfence": {"api": f"{origin}/v1", "openapi": f"{origin}/openapi.json"},
        "alibaba": {"endpoint": origin, "operations": alibaba},
        "huawei": {"endpoint": origin, "operations": huawei},
    }
