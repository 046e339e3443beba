"""What the kernel holds of some flows in a lab: tables that judge them, their connections, and what rules matched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

from ringfence.analysis.records.hits import rule_hits
from ringfence.analysis.why.part import part_of
from ringfence.backends.nftables.conntrack import entries
from ringfence.backends.nftables.library import Nft
from ringfence.lab.lab import Lab
from ringfence.model.flow import Flow
from ringfence.policy.evaluate import Policy


def kernel_state(lab: Lab, flows: Sequence[Flow]) -> Mapping[str, object]:
    """Values and texts by the names of files: of each VPC on the way its table and the flows' connections; their hits.

    Raises `CannotRun`.
    """
    world, policy = lab.world, Policy(lab.world)
    vpcs = sorted({end.vpc.name for flow in flows for end in policy.ends(flow) if end.vpc})
    found: dict[str, object] = {}
    for number, vpc in enumerate(vpcs, 1):
        name = f"kernel/{number}-{re.sub(r'[^A-Za-z0-9._-]', '_', vpc)}"
        found[f"{name}.nft"] = _table(lab, vpc)
        found[f"{name}-connections.json"] = _connections(lab, vpc, flows)
    hits = rule_hits(part_of(world, flows), [lab.driver(vpc).counters() for vpc in vpcs])
    found["kernel/hits.json"] = [row.as_json() for row in hits]
    return found


def _table(lab: Lab, vpc: str) -> str:
    with closing(Nft(lab.names.vpc(vpc))) as nft:
        return nft.listed(f"list table inet {lab.names.table}")


def _connections(lab: Lab, vpc: str, flows: Iterable[Flow]) -> list[dict[str, object]]:
    """The connections between the ends of the flows, either way."""
    pairs = {frozenset((flow.source.address, flow.destination.address)) for flow in flows}
    found = (entry.connection for entry in entries(lab.names.vpc(vpc), vpc))
    told = (it.as_json() for it in found if frozenset((it.source, it.destination)) in pairs)
    return sorted(told, key=str)
