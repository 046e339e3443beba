"""Drift: what somebody else did to our table is told by `audit` and undone by `apply`, and nobody else's is touched."""

from __future__ import annotations

import pytest

from ringfence.backends.nftables.names import UPLINK, acl_chain, address_set, class_chain, firewall_chain, port_link
from ringfence.backends.nftables.render import render
from ringfence.backends.nftables.ruleset import render_key
from ringfence.compile.plan import VpcPlan
from ringfence.model.address import Family, Prefix
from ringfence.model.rule import Direction, Rule
from tests.nftables.kernel import TABLE, Kernel
from tests.nftables.plans import plan_of, whole_plan

pytestmark = pytest.mark.packets

SMALL, WHOLE = plan_of(), whole_plan()
WEB = class_chain(next(it.id for it in SMALL.classes if it.groups == ("web",)), Direction.INGRESS)
((LAYER, MAP),) = ((name, it) for name, it in render(SMALL).sets.items() if name.startswith(f"{WEB}-4p"))
ID = Rule.parse("in allow udp 1,3,5,7,9,11,13,15,17,19 from 10.0.0.0/24").id_in("web")


def key(addresses: str = "10.0.0.0/24") -> str:
    """The key of the element for udp/7 in the layer, or one like it for other addresses."""
    own, other = (Prefix.parse(text).range for text in ("10.0.0.0/24", addresses))
    found = next(it for it, element in MAP.elements.items() if element.comment == ID and (7, 7) in it)
    moved = tuple((other.first, other.last) if part == (own.first, own.last) else part for part in found)
    return render_key(MAP.fields, moved)


KEY = key()
DRIFTS = {
    "an element is gone": f"delete element inet {TABLE} {LAYER} {{ {KEY} }}",
    "an element says another thing": f"""
        delete element inet {TABLE} {LAYER} {{ {KEY} }}
        add element inet {TABLE} {LAYER} {{ {KEY} comment "{ID}" : drop }}""",
    "an element has another name": f"""
        delete element inet {TABLE} {LAYER} {{ {KEY} }}
        add element inet {TABLE} {LAYER} {{ {KEY} comment "sgr-other" : accept }}""",
    "an element has no name": f"""
        delete element inet {TABLE} {LAYER} {{ {KEY} }}
        add element inet {TABLE} {LAYER} {{ {KEY} : accept }}""",
    "an element is wider": f"""
        delete element inet {TABLE} {LAYER} {{ {KEY} }}
        add element inet {TABLE} {LAYER} {{ {key("10.0.0.0/8")} comment "{ID}" : accept }}""",
    "an element too many": f"add element inet {TABLE} {LAYER} {{ {key('192.0.2.0/24')} : accept }}",
    "a port too many": f'add element inet {TABLE} links {{ "eth9" : 1 }}',
    "a class too many": f"add element inet {TABLE} ingress {{ 0x7 : accept }}",
    "a class led elsewhere": f"""
        delete element inet {TABLE} egress {{ 0x1 }}
        add element inet {TABLE} egress {{ 0x1 : goto onward }}""",
    "a port of another class": f"""
        delete element inet {TABLE} class4 {{ 10.0.0.13 }}
        add element inet {TABLE} class4 {{ 10.0.0.13 : 0x7 }}""",
    "a port may send as another": f'add element inet {TABLE} sources4 {{ "{port_link("a.eth0")}" . 10.0.0.13 }}',
    "a map is empty": f"flush map inet {TABLE} egress",
    "a chain is empty": f"flush chain inet {TABLE} {WEB}",
    "a rule too many, first": f"insert rule inet {TABLE} forward accept",
    "a rule too many, last": f'add rule inet {TABLE} input accept comment "ours"',
    "the first hook accepts": f"chain inet {TABLE} prerouting {{ policy accept; }}",
    "the gate accepts": f"chain inet {TABLE} forward {{ policy accept; }}",
    "a base chain is gone": f"""
        flush chain inet {TABLE} input
        delete chain inet {TABLE} input""",
    "a chain too many": f"add chain inet {TABLE} late {{ type filter hook forward priority 9; policy drop; }}",
    "a set with a time-out too many": f"""
        add set inet {TABLE} mine {{ type ipv4_addr; timeout 1h; elements = {{ 10.0.0.1 timeout 5m }}; }}""",
    "everything is gone but the table": f"""
        delete table inet {TABLE}
        add table inet {TABLE}""",
    "the table is gone": f"delete table inet {TABLE}",
    "the table sleeps": f"add table inet {TABLE} {{ flags dormant; }}",
    "the gate hangs elsewhere": f"""
        flush chain inet {TABLE} forward
        delete chain inet {TABLE} forward
        add chain inet {TABLE} forward {{ type filter hook output priority 0; policy drop; }}""",
    "the gate comes at another time": f"""
        flush chain inet {TABLE} forward
        delete chain inet {TABLE} forward
        add chain inet {TABLE} forward {{ type filter hook forward priority 7; policy drop; }}""",
    "the gate hangs nowhere": f"""
        flush chain inet {TABLE} forward
        delete chain inet {TABLE} forward
        add chain inet {TABLE} forward""",
    "a class chain hangs on a hook": f"""
        flush map inet {TABLE} ingress
        flush chain inet {TABLE} {WEB}
        delete chain inet {TABLE} {WEB}
        add chain inet {TABLE} {WEB} {{ type filter hook forward priority 0; policy drop; }}""",
    "a set of a type unknown to us": f"""
        add set inet {TABLE} mine {{ type ether_addr; elements = {{ 02:00:00:00:00:01 }}; }}""",
    "a set of another type": f"""
        delete table inet {TABLE}
        add table inet {TABLE}
        add set inet {TABLE} sources4 {{ type ipv4_addr; }}""",
    "a layer that does not count": f"""
        flush chain inet {TABLE} {WEB}
        delete map inet {TABLE} {LAYER}
        add map inet {TABLE} {LAYER} {MAP.declaration.replace(" counter;", "")}""",
}


OFFICE, OFFICE6 = address_set("office", Family.IPV4, 24), address_set("office6", Family.IPV6, 48)
PORT, OTHER = port_link("b.eth0"), port_link("c.eth0")
ACL, FIREWALL = acl_chain("deep", Direction.INGRESS), firewall_chain(UPLINK, Direction.EGRESS)
MORE_DRIFTS = {
    "an entry is gone": f"delete element inet {TABLE} {OFFICE} {{ 203.0.113.0 }}",
    "an entry too many": f"add element inet {TABLE} {OFFICE6} {{ 2001:db8:2:: }}",
    "an address group of another type": f"""
        flush chain inet {TABLE} {acl_chain("edge", Direction.INGRESS)}
        add set inet {TABLE} {address_set("office", Family.IPV4, 23)} {{ type ipv4_addr; flags interval; }}""",
    "a penalty is lifted": f'delete element inet {TABLE} penalised {{ "{PORT}" }}',
    "a penalty says another thing": f"flush chain inet {TABLE} penalties",
    "a port that nothing helps": f"flush set inet {TABLE} ftp",
    "a port of another subnet": f"""
        delete element inet {TABLE} subnets {{ "{PORT}" }}
        add element inet {TABLE} subnets {{ "{PORT}" : 0x7 }}""",
    "a port may send as the virtual IP": f'add element inet {TABLE} sources4 {{ "{OTHER}" . 10.0.1.100 }}',
    "an ACL is empty": f"flush chain inet {TABLE} {ACL}",
    "an ACL allows first": f"insert rule inet {TABLE} {ACL} return",
    "a firewall is empty": f"flush chain inet {TABLE} {FIREWALL}",
    "nothing is logged": f"""
        flush chain inet {TABLE} dropped
        add rule inet {TABLE} dropped drop""",
    "a helper too many": f'add ct helper inet {TABLE} mine {{ type "tftp" protocol udp; }}',
    "another helper by its name": f"""
        flush chain inet {TABLE} forward
        delete ct helper inet {TABLE} ftp
        add ct helper inet {TABLE} ftp {{ type "tftp" protocol udp; }}""",
    "a set of another type, and a chain gone that names it": f"""
        flush chain inet {TABLE} prerouting
        delete chain inet {TABLE} prerouting
        flush chain inet {TABLE} related
        delete set inet {TABLE} sources4
        add set inet {TABLE} sources4 {{ type ipv4_addr; }}""",
}


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        *(pytest.param(SMALL, text, id=what) for what, text in DRIFTS.items()),
        *(pytest.param(WHOLE, text, id=what) for what, text in MORE_DRIFTS.items()),
    ],
)
def test_drift_is_told_and_repaired(kernel: Kernel, plan: VpcPlan, text: str) -> None:
    kernel.driver().apply(plan)
    right = kernel.state()
    kernel.nft("-f", "-", text=text)
    driver = kernel.driver()
    assert driver.audit(plan) != []
    assert driver.apply(plan) > 0
    assert kernel.state() == right
    assert driver.audit(plan) == []


def test_the_next_apply_repairs_also_without_an_audit(kernel: Kernel) -> None:
    """The kernel's generation number tells the driver that somebody was there since."""
    driver = kernel.driver()
    driver.apply(SMALL)
    right = kernel.state()
    kernel.nft("flush", "chain", "inet", TABLE, "forward")
    assert driver.apply(SMALL) > 0
    assert kernel.state() == right


def test_a_rule_that_says_another_thing_under_its_old_name_is_told(kernel: Kernel) -> None:
    kernel.driver().apply(SMALL)
    right = kernel.state()
    rule = next(it for it in right["rules of prerouting"] if "saddr" in str(it["expr"]))
    handle = kernel.handle("prerouting", rule["comment"])
    kernel.nft(
        "replace", "rule", "inet", TABLE, "prerouting", "handle", handle, "accept", "comment", f'"{rule["comment"]}"'
    )
    driver = kernel.driver()
    assert driver.audit(SMALL) != []
    assert driver.audit(SMALL) != []
    driver.apply(SMALL)
    assert kernel.state() == right
