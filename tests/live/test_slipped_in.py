"""A connection that began while a change was under way, and that neither policy allows, does not live on."""

from __future__ import annotations

import socket

import pytest

from ringfence.backends.netns import inside
from ringfence.compile.compiler import compile_world
from ringfence.lab.lab import Lab
from ringfence.lab.live import LiveConnections
from tests.lab.worlds import world

pytestmark = pytest.mark.packets

WORLD = """
profile: {profile}
vpcs:
  v: {{cidrs: [10.0.0.0/16], subnets: {{s: 10.0.1.0/24, t: 10.0.2.0/24}}}}
groups:
  out: {{vpc: v, rules: [out allow all to any]}}
  extra: {{vpc: v, rules: [out allow all to any]}}
  served: {{vpc: v, rules: [in {action} tcp 80 from any]}}
instances:
  a: {{subnet: s, ip: 10.0.1.11, groups: [{groups}]}}
  b: {{subnet: t, ip: 10.0.2.21, groups: [served]}}
"""


@pytest.mark.parametrize("profile", ["huawei", "alibaba"])
def test_what_neither_policy_allows_is_cut(profile: str, lab_name: str) -> None:
    before = world(WORLD.format(profile=profile, action="deny", groups="out"))
    after = world(WORLD.format(profile=profile, action="deny", groups="out, extra"))
    gap = world(WORLD.format(profile=profile, action="allow", groups="out"))
    with Lab.up(before, lab_name) as lab:
        with inside(lab.namespace("b")):
            server = socket.create_server(("10.0.2.21", 80))
        live = LiveConnections(before, after, lab.names)
        lab.driver("v").apply(compile_world(gap).vpcs["v"])  # what gates at odds may let through for a moment
        with inside(lab.namespace("a")):
            client = socket.create_connection(("10.0.2.21", 80), 2)
        served, _ = server.accept()
        lab.driver("v").apply(compile_world(after).vpcs["v"])
        with server, client, served:
            assert live.cut(lab.driver)
            client.sendall(b"x")
            served.settimeout(1)
            with pytest.raises(TimeoutError):
                served.recv(1)
