"""The text of JSON, which a library of less range writes where it can."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ringfence.resources.resource import Text, text_of

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_JSON = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(_JSON)
def test_text_says_what_it_is_of_in_one_line(said: Any) -> None:
    """Also a number of more than 64 bits: how many addresses there are in a prefix of IPv6."""
    text = text_of(said)
    assert json.loads(text) == said
    assert "\n" not in text
    assert json.loads(Text.around({"items": [Text(text)], "many": 2**128, "one": said})) == {
        "items": [said],
        "many": 2**128,
        "one": said,
    }
