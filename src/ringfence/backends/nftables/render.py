"""A VPC's plan as an nftables table. It only writes down: every decision is in the plan.

::

    prerouting (raw)  a port may send from its own addresses, the outside from none of the VPC's   else drop
    forward           replies pass, and errors about a connection from the links of its two ends
      @egress   link of the source       -> chain of its class, outwards:  layers -> to-port, or drop
    to-port
      @ingress  link of the destination  -> chain of its class, inwards:   layers -> accept, or drop
    input             ND and DHCP only

Egress never accepts, it goes on to ``to-port``: no rule of one gate can skip the other. An unknown link is in no map,
and every base chain ends in drop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.backends.nftables.gates import ADDRESS, TO_PORT, render_gate
from ringfence.backends.nftables.names import UPLINK, class_chain, port_link
from ringfence.backends.nftables.ruleset import Chain, Element, Field, Hook, Key, NftRule, NftSet, Ruleset
from ringfence.compile.plan import PortPlan, VpcPlan
from ringfence.model.address import Family
from ringfence.model.rule import Direction

_FROM_OUTSIDE, _ERRORS = "from-outside", "errors"
_RAW, _FILTER = -300, 0
_ND = "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255"


def render(plan: VpcPlan) -> Ruleset:
    """The table that enforces a plan."""
    sets = _port_sets(plan)
    chains = _base_chains(plan)
    for entry in plan.classes:
        for direction in Direction:
            gate = render_gate(entry, direction)
            sets |= gate.maps
            chains[class_chain(entry.id, direction)] = gate.chain
    return Ruleset(sets, chains)


def _port_sets(plan: VpcPlan) -> dict[str, NftSet]:
    """The sets and maps with one element a port, or one a port's address."""
    sets: dict[str, NftSet] = {}
    for family, (_, address) in ADDRESS.items():
        sources: dict[Key, Element] = {}
        classes: dict[Key, Element] = {}
        for port, value in _addresses(plan, family):
            sources[port_link(port.name), (value, value)] = Element("", _comment(port.name))
            classes[((value, value),)] = Element(str(port.class_id), _comment(port.name))
        sets[f"sources{family.value}"] = NftSet((Field.LINK, address), elements=sources)
        sets[f"class{family.value}"] = NftSet((address,), "mark", elements=classes)
    for direction in Direction:
        sets[str(direction)] = NftSet((Field.LINK,), "verdict", elements=_dispatch(plan, direction))
    return sets


def _addresses(plan: VpcPlan, family: Family) -> Iterator[tuple[PortPlan, int]]:
    return ((port, address.value) for port in plan.ports for address in port.addresses if address.family is family)


def _dispatch(plan: VpcPlan, direction: Direction) -> Mapping[Key, Element]:
    """Which chain judges a link. The outside has no groups: only the other gate judges what comes from there."""
    verdict = "accept" if direction is Direction.INGRESS else f"goto {_FROM_OUTSIDE}"
    uplink: dict[Key, Element] = {(UPLINK,): Element(verdict, "outside")}
    return uplink | {
        (port_link(port.name),): Element(f"goto {class_chain(port.class_id, direction)}", _comment(port.name))
        for port in plan.ports
    }


def _comment(text: str) -> str:
    return text.encode()[:120].decode(errors="ignore")  # a comment has at most 128 bytes


def _base_chains(plan: VpcPlan) -> dict[str, Chain]:
    return {
        "prerouting": _chain(_antispoof(plan), Hook("prerouting", _RAW)),
        "input": _chain(_input(), Hook("input", _FILTER)),
        TO_PORT: _chain(["oifname vmap @ingress"]),
        _FROM_OUTSIDE: _chain([f'oifname "{UPLINK}" drop', f"goto {TO_PORT}"]),
        _ERRORS: _chain(_errors(plan)),
        "forward": _chain(_forward(), Hook("forward", _FILTER)),
    }


def _chain(texts: list[str], hook: Hook | None = None) -> Chain:
    return Chain(tuple(NftRule.of(text) for text in texts), hook)


def _antispoof(plan: VpcPlan) -> list[str]:
    texts = [f"iifname . {ip} saddr @sources{family.value} accept" for family, (ip, _) in ADDRESS.items()]
    texts += [
        f'iifname "{UPLINK}" {_foreign(plan, family, f"{ip} saddr")} accept' for family, (ip, _) in ADDRESS.items()
    ]
    # Exempt from groups (SEMANTICS.md 4.5); neither can be forwarded, so neither is a way round the gates.
    texts.append(f"ip6 saddr {{ ::, fe80::/10 }} {_ND} accept")
    texts.append("ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept")
    texts.append("ip6 saddr fe80::/10 udp sport 546 udp dport 547 accept")
    return texts


def _foreign(plan: VpcPlan, family: Family, address: str) -> str:
    """What matches a packet of a family whose ``address`` (an nft expression) is none of the VPC's."""
    space = ", ".join(str(prefix) for prefix in plan.cidrs if prefix.family is family)
    return f"meta nfproto {family}" + (f" {address} != {{ {space} }}" if space else "")


def _errors(plan: VpcPlan) -> list[str]:
    """Which ICMP errors pass because of a connection that they are about.

    Conntrack takes any that quotes the connection for related, whoever sent it; then a port that may send nothing could
    write to whoever has a connection that it knows of. So it has to come from the link of one of the two ends.
    """
    texts = []
    for family, (ip, _) in ADDRESS.items():
        for end in (f"ct original {ip} saddr", f"ct reply {ip} saddr"):
            texts.append(f"meta nfproto {family} iifname . {end} @sources{family.value} accept")
            texts.append(f'iifname "{UPLINK}" {_foreign(plan, family, end)} accept')
    return texts


def _input() -> list[str]:
    return [
        "ct state { established, related } accept",
        f"{_ND} accept",
        f'iifname != "{UPLINK}" meta nfproto ipv4 udp sport 68 udp dport 67 accept',
        f'iifname != "{UPLINK}" meta nfproto ipv6 udp sport 546 udp dport 547 accept',
    ]


def _forward() -> list[str]:
    return [
        f"ct state vmap {{ established : accept, related : goto {_ERRORS}, invalid : drop }}",
        "iifname vmap @egress",
    ]
