"""Where a lab keeps what the rules of its VPCs have matched under policies that are no more."""

from __future__ import annotations

from ringfence.backends.nftables.hits import Tally
from ringfence.lab.names import LabNames


def tally_of(names: LabNames, vpc: str) -> Tally:
    """The tally of a VPC, in a file of the lab's directory."""
    return Tally(names.directory / "hits" / names.vpc(vpc))
