"""Every value prints in the notation that people write, and reads back as itself."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.errors import NotationError
from ringfence.model.acl import AclRule
from ringfence.model.address import Address, AddressRange, Family, Prefix
from ringfence.model.flow import Expectation, Query
from ringfence.model.names import check_name
from ringfence.model.profile import Timeouts
from ringfence.model.rule import Remote, Rule, parse_remote
from ringfence.model.service import Listener, PortRange, PortSet, Protocol, Service, ServiceSet
from tests import value_strategies as strategies


@given(strategies.addresses())
def test_addresses(value: Address) -> None:
    assert Address.parse(str(value)) == value
    assert Prefix.parse(str(value)) == value.host_prefix


@given(strategies.prefixes())
def test_prefixes(value: Prefix) -> None:
    assert Prefix.parse(str(value)) == value
    assert value.range.prefix == value


@given(strategies.ranges())
def test_ranges(value: AddressRange) -> None:
    assert AddressRange.parse(str(value)) == value
    ends = f"{Address(value.family, value.first)}-{Address(value.family, value.last)}"
    assert AddressRange.parse(ends) == value


@given(strategies.families(), st.data())
def test_a_range_holds_its_ends_and_overlaps_what_shares_an_address(family: Family, data: st.DataObject) -> None:
    one, two = data.draw(strategies.ranges(family)), data.draw(strategies.ranges(family))
    shared = Address(family, max(one.first, two.first))
    assert one.overlaps(two) == (shared in one and shared in two)
    assert Address(family, one.first) in one
    assert Address(family, one.last) in one


@given(strategies.protocols())
def test_protocols(value: Protocol) -> None:
    assert Protocol.parse(str(value)) == value
    assert Protocol.parse(str(value).upper()) == value


@given(strategies.port_sets().filter(bool))
def test_port_sets(value: PortSet) -> None:
    assert PortSet.parse(str(value)) == value
    assert all(PortRange.parse(str(each)) == each for each in value.ranges)


@given(strategies.port_sets().filter(bool), st.randoms(use_true_random=False))
def test_ports_may_be_listed_in_any_order(value: PortSet, rng: random.Random) -> None:
    texts = [str(each) for each in rng.sample(value.ranges, len(value.ranges))]
    assert PortSet.parse(",".join(texts)) == value


@given(strategies.remotes())
def test_remotes(value: Remote) -> None:
    assert parse_remote(str(value)) == value


@given(strategies.rules())
def test_rules(value: Rule) -> None:
    assert Rule.parse(str(value), default_priority=77) == value


@given(strategies.acl_rules())
def test_acl_rules(value: AclRule) -> None:
    assert AclRule.parse(str(value)) == value


@given(strategies.service_sets())
def test_service_sets(value: ServiceSet) -> None:
    assert ServiceSet.parse(str(value)) == value


@given(strategies.timeouts())
def test_timeouts(value: Timeouts) -> None:
    assert Timeouts.parse(str(value)) == value


@given(strategies.rules())
def test_a_rules_id_depends_on_what_it_says_alone(value: Rule) -> None:
    again = Rule.parse(value.key)
    assert again.id_in("sg") == value.id_in("sg")
    assert again.id_in("sg") != value.id_in("other")


@given(strategies.acl_rules())
def test_an_acl_rules_id_depends_on_what_it_says_alone(value: AclRule) -> None:
    again = AclRule.parse(value.key)
    assert again.id_in("acl") == value.id_in("acl")
    assert again.id_in("acl") != value.id_in("other")


@given(strategies.services())
def test_services(value: Service) -> None:
    assert Service.parse(str(value)) == value


@given(strategies.listeners())
def test_listeners(value: Listener) -> None:
    assert Listener.parse(str(value)) == value


@given(strategies.queries())
def test_queries(value: Query) -> None:
    assert Query.parse(str(value)) == value


@given(strategies.expectations())
def test_expectations(value: Expectation) -> None:
    assert Expectation.parse(str(value)) == value


@given(strategies.names())
def test_names(value: str) -> None:
    assert check_name(value) == value


PARSERS: list[Callable[[str], object]] = [
    Address.parse,
    AddressRange.parse,
    Prefix.parse,
    Protocol.parse,
    PortSet.parse,
    parse_remote,
    Rule.parse,
    AclRule.parse,
    ServiceSet.parse,
    Timeouts.parse,
    Service.parse,
    Listener.parse,
    Query.parse,
    Expectation.parse,
    check_name,
]
WORDS = [
    "in",
    "out",
    "allow",
    "deny",
    "tcp",
    "80",
    "from",
    "to",
    "any",
    "group",
    "priority",
    "10.0.0.0",
    "::",
    "port",
    "nic",
    "managed",
    "tcp/25",
]
SIGNS = ["-", "->", ",", "/", '"', ":", "²"]
ANY_TEXT = st.text() | st.lists(st.sampled_from(WORDS + SIGNS)).flatmap(
    lambda words: st.sampled_from([" ".join(words), "".join(words)])
)


@pytest.mark.parametrize("parse", PARSERS)
@given(ANY_TEXT)
def test_any_other_text_is_refused_in_words(parse: Callable[[str], object], text: str) -> None:
    refused: NotationError | None = None
    try:
        parse(text)
    except NotationError as error:
        refused = error
    assert refused is None or (refused.what and refused.right)
