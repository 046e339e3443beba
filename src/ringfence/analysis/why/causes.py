"""Why a flow does not work: the causes, in the order in which they are looked for.

The order is that of the requirement document "Why Do My Security Group Rules Not Work?": what is wrong with the rules
of groups, ports that carriers block, a service that is not open, network ACLs, the guest's own firewall, the network.
"""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """A cause by its word, on which programs may rely; `sentence` says it to people."""

    DIRECTION = "direction"
    PROTOCOL = "protocol"
    PORT = "port"
    FAMILY = "family"
    SOURCE = "source"
    INTERFACE = "interface"
    DISABLED = "disabled"
    PRIORITY = "priority"
    MEMBERSHIP = "membership"
    DENY_RULE = "deny-rule"
    NO_RULE = "no-rule"
    BLOCKED_PORT = "blocked-port"
    NOT_LISTENING = "not-listening"
    LOOPBACK_ONLY = "loopback-only"
    ACL = "acl"
    FIREWALL = "firewall"
    GUEST_FIREWALL = "guest-firewall"
    NO_ROUTE = "no-route"
    NO_SUCH_ADDRESS = "no-such-address"
    PENALTY = "penalty"
    ANOTHER_ACCOUNT = "another-account"

    @property
    def sentence(self) -> str:
        """What it means."""
        return _SENTENCES[self]

    @property
    def place(self) -> int:
        """Where it stands in the order."""
        return _PLACES[self]


_SENTENCES = {
    Cause.DIRECTION: "A rule allows it, but in the other direction.",
    Cause.PROTOCOL: "A rule allows it, but for another protocol.",
    Cause.PORT: "The rules allow other ports, and none covers the one that is asked for.",
    Cause.FAMILY: "A rule allows it, but for the other address family: 0.0.0.0/0 does not cover IPv6, nor ::/0 IPv4.",
    Cause.SOURCE: "A rule allows it, but from (or to) other addresses, or members of another group.",
    Cause.INTERFACE: "A rule allows it, but for the instance's other interface: internet or intranet.",
    Cause.DISABLED: "A rule allows it, but it is disabled.",
    Cause.PRIORITY: "A rule allows it, but loses to one that denies it.",
    Cause.MEMBERSHIP: "A rule allows it, but it is in a group that the port is not in.",
    Cause.DENY_RULE: "A rule denies it, and there is none that comes near to allowing it.",
    Cause.NO_RULE: "No rule allows it or comes near to it.",
    Cause.BLOCKED_PORT: "Carriers or the platform block the port, whatever the rules say.",
    Cause.NOT_LISTENING: "Nothing in the instance takes what arrives: the port is not open there.",
    Cause.LOOPBACK_ONLY: "The service listens on the instance's loopback address only.",
    Cause.ACL: "The subnet's network ACL denies it, whatever the groups say.",
    Cause.FIREWALL: "The firewall at the internet border, or on the peering, denies it.",
    Cause.GUEST_FIREWALL: "The instance's own firewall drops it.",
    Cause.NO_ROUTE: "The two VPCs are not connected: there is no peering between them.",
    Cause.NO_SUCH_ADDRESS: "Nobody has the address.",
    Cause.PENALTY: "The instance is cut off by a penalty.",
    Cause.ANOTHER_ACCOUNT: "Something of another account denies it; its owner can tell what.",
}
_PLACES = {cause: place for place, cause in enumerate(Cause)}
