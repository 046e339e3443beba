"""The two directions of rules, and the names of the parameters that say a rule of each (apis/alibaba.md 2.8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.model.rule import Direction
from ringfence.wire.alibaba.operation import Field

NO_PORTS: Final = "-1/-1"
"""What stands for ports where the protocol has none."""
OWNER_FIELDS: Final = ("GroupOwnerId", "GroupOwnerAccount")
"""What ConfigureSecurityGroupPermissions calls whose the other group is."""


@dataclass(frozen=True, slots=True)
class Way:
    """A direction, and the words for its two sides: ``far`` is whom the rule is about, ``near`` the group's own."""

    direction: Direction
    far: str
    near: str

    @property
    def far_fields(self) -> tuple[str, ...]:
        """The parameters that say whom a rule is about, the strongest first."""
        far = self.far
        return f"{far}CidrIp", f"Ipv6{far}CidrIp", f"{far}GroupId", f"{far}PrefixListId"

    @property
    def owner_fields(self) -> tuple[str, str]:
        """The parameters that say whose the other group is."""
        return f"{self.far}GroupOwnerId", f"{self.far}GroupOwnerAccount"

    @property
    def near_fields(self) -> tuple[str, str]:
        """The parameters that say the group's own side."""
        return f"{self.near}CidrIp", f"Ipv6{self.near}CidrIp"

    def parameters(self) -> Iterator[Field]:
        """What a request may say of a rule, but for the list of its ports."""
        far, near = self.far.lower(), self.near.lower()
        yield Field("Policy", "accept (if nothing is said) or drop")
        yield Field("Priority", "1 (strongest, and the default) to 100")
        yield Field("IpProtocol", "TCP, UDP, ICMP, ICMPv6, GRE, ALL or a number")
        yield Field("PortRange", f"first/last; {NO_PORTS} where the protocol has no ports")
        yield Field("SourcePortRange", "the ports that packets come from")
        yield Field("NicType", "internet or intranet, in the classic network")
        yield Field("Description", "1 to 512 characters")
        for name in self.far_fields:
            yield Field(name, f"the {far}: the first of these that is said counts")
        for name in self.owner_fields:
            yield Field(name, "whose group that is, by the id or the name of the account")
        for name in self.near_fields:
            yield Field(name, f"the {near}: the group's own side, all of it if nothing is said")


INGRESS = Way(Direction.INGRESS, "Source", "Dest")
EGRESS = Way(Direction.EGRESS, "Dest", "Source")
