"""IPv6 for subnets that do not say where: free parts of their VPC, while there are any."""

from __future__ import annotations

from pathlib import Path

from ringfence.control.draft import Draft
from ringfence.control.ipv6 import free_prefix
from ringfence.resources.kind import Kind

from .service import Service, told


def test_prefixes_are_free_parts_of_the_vpc_until_there_are_none(tmp_path: Path) -> None:
    with Service.fresh(tmp_path) as service:
        service.make(Kind.VPC, name="v4", cidrs=["10.0.0.0/16"])
        service.make(Kind.VPC, name="both", cidrs=["10.1.0.0/16", "fd00:10::/63"])
        service.make(Kind.SUBNET, name="one", vpc="both", cidr6="fd00:10::/64")

        def ask(vpc: str) -> str:
            return str(service.do(lambda draft: free_prefix(draft, vpc)))

        assert ask("both") == "fd00:10:0:1::/64"
        service.make(Kind.SUBNET, name="two", vpc="both", cidr6=ask("both"))

        def more(draft: Draft) -> object:
            return free_prefix(draft, "both")

        assert told(service.refused(more)) == [("resource.conflict", "ipv6_enable")]
        first = ask("v4")
        found = service.control.state.get(Kind.VPC, "v4")
        assert found
        four, six = found.as_json()["cidrs"]
        assert (four, six) == ("10.0.0.0/16", first.replace("/64", "/56"))
        assert first == ask("v4")
        assert first.startswith("fd")


def test_what_is_taken_is_stepped_over_whatever_its_size(tmp_path: Path) -> None:
    """A /24 of a /8 has 2**40 parts, and a server that looks at each does nothing else for days."""
    with Service.fresh(tmp_path) as service:
        service.make(Kind.VPC, name="wide", cidrs=["fd00::/8"])
        service.make(Kind.SUBNET, name="huge", vpc="wide", cidr6="fd00::/24")
        service.make(Kind.SUBNET, name="small", vpc="wide", cidr6="fd00:100:0:1::/96")
        found = [str(service.do(lambda draft: free_prefix(draft, "wide")))]
        service.make(Kind.SUBNET, name="first", vpc="wide", cidr6=found[0])
        found.append(str(service.do(lambda draft: free_prefix(draft, "wide"))))
        assert found == ["fd00:100::/64", "fd00:100:0:2::/64"]
