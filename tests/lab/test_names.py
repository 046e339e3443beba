from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.errors import NotationError
from ringfence.lab.names import LabNames, guest_link, internet_link
from ringfence.model.mac import mac

any_name = st.from_regex(r"[\w.-]{1,128}", fullmatch=True)


@pytest.mark.parametrize("name", ["", "Lab", "a-b", "a b", "abcdefghijklm", "../x", "läb"])
def test_an_unfit_lab_name_is_refused(name: str) -> None:
    with pytest.raises(NotationError):
        LabNames(name)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (LabNames().vpc("shop"), "rf-lab-vpc-shop"),
        (LabNames().internet, "rf-lab-internet"),
        (LabNames("x1").instance("web-1"), "rf-x1-in-web-1"),
        (LabNames().outside("laptop"), "rf-lab-out-laptop"),
        (LabNames().table, "rf-lab"),
        (str(LabNames().directory), "/run/ringfence/lab"),
        (LabNames().down_command, "ringfence down"),
        (LabNames("x1").down_command, "ringfence down --lab x1"),
    ],
)
def test_names_are_as_documented(made: str, expected: str) -> None:
    assert made == expected


@given(st.sets(any_name, min_size=2, max_size=6))
def test_namespaces_are_files_of_their_own(names: set[str]) -> None:
    made = {make(name) for name in names for make in (LabNames().vpc, LabNames().instance, LabNames().outside)}
    assert len(made) == 3 * len(names)
    assert all(len(name.encode()) <= 255 and "/" not in name for name in made)
    assert all(name.startswith("rf-lab-") and not name.startswith("rf-la-") for name in made)


@pytest.mark.parametrize("port", ["eth0", "p.1", "fünf", "a" * 15])
def test_a_port_that_fits_names_its_link(port: str) -> None:
    assert guest_link(port) == port


@pytest.mark.parametrize("port", ["lo", "all", "default", "a" * 16, "ü" * 8])
def test_a_port_that_does_not_fit_gets_a_link_made_of_it(port: str) -> None:
    assert guest_link(port).startswith("p-")


@given(any_name)
def test_links_fit_the_kernel(name: str) -> None:
    assert len(guest_link(name).encode()) <= 15
    assert len(internet_link("vpc", name)) == 15
    assert internet_link("vpc", name) != internet_link("out", name)
    assert int(mac(name)[:2], 16) & 3 == 2  # locally administered, not a group's
