"""The clouds' APIs put before the native one."""

from __future__ import annotations

from starlette.types import ASGIApp

from ringfence.control.control import Control
from ringfence.control.identity import Identities
from ringfence.wire.alibaba.surface import Alibaba
from ringfence.wire.dispatch import Wires
from ringfence.wire.huawei.surface import Huawei
from ringfence.wire.request import Service


def wire_apis(app: ASGIApp, control: Control, identities: Identities) -> Wires:
    """An app that serves the clouds' APIs, and another app's for all other requests."""
    service = Service(control, identities)
    return Wires(app, (Alibaba(service), Huawei(service)))
