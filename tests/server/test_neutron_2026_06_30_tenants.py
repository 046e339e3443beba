"""neutron 2026-06-30, through the service: what one tenant's rule denied stood in the log of another.

Two tenants call everything by the same names and use the same addresses. A drop record names a rule and a group by the
ids that the service gave, and so leads to the tenant whose they are.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from ringfence.resources.kind import Kind
from tests.control.service import Service
from tests.logs.recording import told
from tests.logs.worlds import address
from tests.peers import frames
from tests.peers.wire import close_senders, nic, send_packets

pytestmark = pytest.mark.packets


def tenant(service: Service, name: str) -> tuple[str, list[str]]:
    """A tenant with two instances of whom one may send anything but DNS: its account, and its instances' ids."""
    account = service.make(Kind.ACCOUNT, name=name).id
    own = service.acting(account=account, home="operator")
    vpc = own.make(Kind.VPC, name="shop", cidrs=["10.0.0.0/16"]).id
    subnet = own.make(Kind.SUBNET, name="web", vpc=vpc, cidr="10.0.1.0/24").id
    group = own.make(Kind.GROUP, name="sg-web", vpc=vpc).id
    for rule in ("out deny udp 53 to any priority 1", "out allow all to any", "in deny udp 9 from any"):
        own.make(Kind.RULE, group=group, rule=rule)
    made = [
        own.make(
            Kind.INSTANCE,
            name=f"web-{number}",
            ports=[{"subnet": subnet, "addresses": [f"10.0.1.1{number}"], "groups": [group]}],
        )
        for number in (1, 2)
    ]
    return account, [it.id for it in made]


def test_a_drop_leads_to_the_tenant_whose_rule_it_was(tmp_path: Path, lab_name: str) -> None:
    with Service.fresh(tmp_path) as service:
        tenants = dict(tenant(service, name) for name in ("ann", "bob"))
        state = service.control.state
        with Lab.up(state.world, lab_name) as lab:
            for account, (one, two) in tenants.items():
                ends = address(lab.world, one, Family.IPV4), address(lab.world, two, Family.IPV4)
                with told(lab) as heard:
                    send_packets(nic(lab, one), frames.udp(*ends, 53, 53, b""), frames.udp(*ends, 9, 9, b""))
                    records = heard.records(2)
                for record in records:
                    rule, group = state.get(Kind.RULE, record.rule_id), state.get(Kind.GROUP, record.group)
                    vpc = state.get(Kind.VPC, record.vpc)
                    assert rule
                    assert group
                    assert vpc
                    assert {rule.account, group.account, vpc.account} == {account}
                    assert record.port.partition(".")[0] in (one, two)
                assert sorted(it.packet.port or 0 for it in records) == [9, 53]
            close_senders()
    names = [{state.get(Kind.INSTANCE, id_).name for id_ in ids} for ids in tenants.values()]  # type: ignore[union-attr]
    assert names[0] == names[1] == {"web-1", "web-2"}
