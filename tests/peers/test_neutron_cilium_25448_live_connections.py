"""neutron blueprint conntrack-in-security-group, cilium#25448: a connection outlived the rule that had let it in, and
others were cut by an edit that had nothing to do with them.

Every kind of change is tried in ``tests/live``; here are the two defects by name, with live flows of four protocols.
"""

from __future__ import annotations

from itertools import product

import pytest

from ringfence.lab.lab import Lab
from ringfence.model.address import Family
from tests.live.cells import CELLS, FLOWS, PROTOCOLS, Cell, Edit
from tests.live.flows import begin, closing_all, living

pytestmark = pytest.mark.packets

DELETED = next(cell for cell in CELLS if cell.name == "rule deleted")
WORLD = DELETED.before("huawei")
LIVE = tuple(product(FLOWS, PROTOCOLS, Family))
PLAIN = "sg-plain:\n    vpc: shop\n    intra_group: drop\n    rules: ["
UNRELATED = {
    "rule of another group": Edit(PLAIN, f"{PLAIN}in deny all from any, "),
    "new group": Edit("  sg-extra:", "  sg-new: {vpc: shop, rules: [in deny all from any]}\n  sg-extra:"),
    "new address group": Edit("  office:", "  nobody: [0.0.0.0/0]\n  office:"),
    "ACL of no subnet": Edit("acls:", "acls:\n  unused: {vpc: shop, rules: []}"),
    "new member of another group": Edit(
        "  spare:", "  late: {subnet: web, ip: 10.0.1.13, ip6: 'fd00:10:0:1::13', groups: [sg-plain]}\n  spare:"
    ),
    "new VPC": Edit(
        "acls:", "  far: {cidrs: [10.7.0.0/16], subnets: {s: {cidr: 10.7.1.0/24}}}\nacls:"
    ),
    "new host outside": Edit("outside:", "outside:\n  stranger: [198.51.100.7]"),
}  # fmt: skip


@pytest.mark.parametrize("profile", ["huawei", "alibaba"])
@pytest.mark.parametrize("edit", UNRELATED.values(), ids=UNRELATED)
def test_an_unrelated_edit_cuts_nothing(lab: Lab, edit: Edit, profile: str) -> None:
    cell = Cell("unrelated", (edit,), "", "")
    lab.enforce(cell.before(profile))
    with closing_all() as flows:
        flows += [begin(lab, *which) for which in LIVE]
        assert living(flows, flows) == set(flows)
        lab.enforce(cell.after(profile))
        assert lab.cuts == []
        assert living(flows, flows) == set(flows)


@pytest.mark.parametrize(
    ("profile", "switches", "is_cut"),
    [
        ("alibaba", "", True),
        ("alibaba", "on_change: keep", False),
        ("huawei", "on_change: keep", False),
        ("huawei", "", True),  # last, for the keys that it holds
    ],
)
def test_a_connection_outlives_its_rule_only_where_it_is_kept(
    lab: Lab, profile: str, switches: str, is_cut: bool
) -> None:
    lab.enforce(DELETED.before(profile, switches))
    with closing_all() as flows:
        flows += [begin(lab, *which) for which in LIVE]
        assert living(flows, flows) == set(flows)
        lab.enforce(DELETED.after(profile, switches))
        alive = {one for one in flows if one.name not in ("in", "vip") or not is_cut}
        assert living(flows, alive) == alive
        assert len(lab.cuts) == len(flows) - len(alive)
