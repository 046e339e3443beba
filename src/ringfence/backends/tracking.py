"""Connection tracking as a profile wants it, as kernel parameters of a VPC's network namespace."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.model.profile import MidStream, Profile, Timeouts

_PREFIX = "net/netfilter/nf_conntrack_"


def tracking_sysctls(profile: Profile) -> Mapping[str, int]:
    """What to write below ``/proc/sys`` of the namespace, in seconds or as switches.

    A connection that the kernel knows already gets a new timeout with its next packet. Accounting is for flow logs. The
    ends check checksums; conntrack does so for UDP-Lite as if it were UDP, and would take every packet for invalid.
    """
    values = {
        **_tcp(profile.timeouts),
        **_others(profile.timeouts),
        "tcp_loose": int(profile.mid_stream is MidStream.LOOSE),
        "acct": 1,
        "checksum": 0,
    }
    return {_PREFIX + name: value for name, value in values.items()}


def _tcp(timeouts: Timeouts) -> dict[str, int]:
    # Connections with data that nobody acknowledges have timeouts of their own, which could only cut that one short.
    times = dict.fromkeys(("established", "unacknowledged", "max_retrans"), timeouts.tcp_established)
    times |= dict.fromkeys(("syn_sent", "syn_recv"), timeouts.tcp_opening)
    times |= dict.fromkeys(("fin_wait", "close_wait", "last_ack", "time_wait", "close"), timeouts.tcp_closing)
    return {f"tcp_timeout_{state}": seconds for state, seconds in times.items()}


_SCTP_ONE_WAY = ("closed", "cookie_wait", "heartbeat_sent")
_SCTP_BOTH_WAYS = ("cookie_echoed", "established", "shutdown_sent", "shutdown_recd", "shutdown_ack_sent")


def _others(timeouts: Timeouts) -> dict[str, int]:
    """Of a protocol that it has no tracker for, the kernel does not ask whether packets went both ways.

    UDP goes both ways to it only two seconds after its first packet, if it is still going then.
    """
    sctp = dict.fromkeys(_SCTP_ONE_WAY, timeouts.one_way) | dict.fromkeys(_SCTP_BOTH_WAYS, timeouts.both_ways)
    return {
        "icmp_timeout": timeouts.icmp,
        "icmpv6_timeout": timeouts.icmp,
        "udp_timeout": timeouts.one_way,
        "udp_timeout_stream": timeouts.both_ways,
        "gre_timeout": timeouts.one_way,
        "gre_timeout_stream": timeouts.both_ways,
        "generic_timeout": timeouts.both_ways,
        **{f"sctp_timeout_{state}": seconds for state, seconds in sctp.items()},
    }
