"""Secrets at rest open only unchanged, in their own place, and under a key that was kept safe."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.errors import KeyFileUnusable, SealBroken
from ringfence.security.keyring import Keyring
from ringfence.security.keys import digest, is_token, mint_access_key, mint_token
from ringfence.security.secret import Secret, same

RING = Keyring([bytes(32)])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(TEXTS, TEXTS)
def test_what_is_sealed_opens_in_its_own_place_only(text: str, place: str) -> None:
    sealed = RING.seal(Secret(text), place)
    assert RING.open(sealed, place) == Secret(text)
    assert RING.seal(Secret(text), place) != sealed  # equal secrets do not look equal in the store
    with pytest.raises(SealBroken):
        RING.open(sealed, place + "x")


@given(st.integers(min_value=0), st.characters(min_codepoint=32, max_codepoint=126), st.booleans())
def test_a_sealed_text_changed_anywhere_does_not_open(where: int, character: str, cut: bool) -> None:
    sealed = RING.seal(Secret("the secret of a key"), "LTAIx")
    where %= len(sealed)
    changed = sealed[:where] + ("" if cut else character) + sealed[where + 1 :]
    if changed != sealed:
        with pytest.raises(SealBroken):
            RING.open(changed, "LTAIx")


@given(TEXTS)
def test_any_text_that_was_not_sealed_is_one_clear_error(text: str) -> None:
    for bad in (text, f"rfs1.{RING.seal(Secret(''), '').split('.')[1]}.{text}"):
        with pytest.raises(SealBroken, match="key"):
            RING.open(bad, "LTAIx")


def test_a_rotated_key_file_seals_with_the_newest_and_opens_all(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    first = Keyring.load(path)
    old = first.seal(Secret("one"), "a")
    second = Keyring.rotate(path)
    new = second.seal(Secret("two"), "b")
    assert path.stat().st_mode & 0o777 == 0o600
    again = Keyring.load(path)
    assert (again.open(old, "a"), again.open(new, "b")) == (Secret("one"), Secret("two"))
    assert (again.is_current(old), again.is_current(new)) == (False, True)
    with pytest.raises(SealBroken, match="use the key file"):
        first.open(new, "b")
    assert list(tmp_path.iterdir()) == [path]


def test_those_that_start_or_rotate_at_once_have_all_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with ThreadPoolExecutor(8) as pool:
        made = {repr(ring) for ring in pool.map(lambda _: Keyring.load(path), range(8))}
        rings = list(pool.map(lambda _: Keyring.rotate(path), range(8)))
    assert len(made) == 1
    last = Keyring.load(path)
    for ring in rings:
        assert last.open(ring.seal(Secret("x"), "a"), "a") == Secret("x")
    assert len(path.read_text().splitlines()) == 9


def _open_to_others(path: Path) -> None:
    path.write_text("0" * 64 + "\n")
    path.chmod(0o640)


def _short(path: Path) -> None:
    path.write_text("0" * 62 + "\n")
    path.chmod(0o600)


def _empty(path: Path) -> None:
    path.touch(0o600)


def _no_text(path: Path) -> None:
    path.write_bytes(os.urandom(64))
    path.chmod(0o600)


def _link(path: Path) -> None:
    Keyring.load(path.with_name("other"))
    path.symlink_to(path.with_name("other"))


def _another_users(path: Path) -> None:
    Keyring.load(path)
    os.chown(path, 12345, -1)


def _in_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_open_to_others, r"open to others \(mode 640\); make it its owner's alone: chmod 600"),
        (_short, "64 hexadecimal digits"),
        (_empty, "64 hexadecimal digits"),
        (_no_text, "64 hexadecimal digits"),
        (_link, "symbolic link"),
        (Path.mkdir, "no plain file"),
        (os.mkfifo, "no plain file"),
        (lambda path: path.symlink_to("/nonexistent"), "symbolic link"),
        (lambda path: path.parent.rmdir(), "No such file or directory; its directory must be there"),
        (_in_a_file, "Not a directory"),
        pytest.param(_another_users, "another user", marks=pytest.mark.skipif(os.geteuid() != 0, reason="needs chown")),
    ],
)
def test_a_key_file_that_is_not_safe_is_refused(tmp_path: Path, spoil: Callable[[Path], object], says: str) -> None:
    path = tmp_path / "in" / "keys"
    path.parent.mkdir()
    spoil(path)
    for use in (Keyring.load, Keyring.rotate):
        with pytest.raises(KeyFileUnusable, match=says) as refusal:
            use(path)
        assert str(path) in str(refusal.value)
        assert "000000" not in str(refusal.value)  # never the content


@dataclass(frozen=True)
class Holder:
    secret: Secret


def test_a_secret_shows_itself_to_nobody_who_does_not_ask() -> None:
    secret = Secret("hunter2")
    shown = (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>20}",
        f"{Holder(secret)}",
        str([secret]),
        format(secret),
    )
    assert not any("hunter2" in text for text in (*shown, repr(RING)))
    for leak in (pickle.dumps, copy.deepcopy, json.dumps, hash):
        with pytest.raises(TypeError):
            leak(secret)
    assert secret == Secret("hunter2") != Secret("hunter3")
    assert same("\udcff中", "\udcff中")


def test_minted_keys_and_tokens_have_their_form_and_never_repeat() -> None:
    keys, tokens = [mint_access_key() for _ in range(300)], [mint_token() for _ in range(300)]
    assert all(
        re.fullmatch("LTAI[A-Za-z0-9]{20}", key.id) and len(key.secret.reveal()) >= 30 and key.secret.reveal().isalnum()
        for key in keys
    )
    assert all(is_token(token.reveal()) for token in tokens)
    assert (
        len({key.id for key in keys} | {key.secret.reveal() for key in keys} | {digest(token) for token in tokens})
        == 900
    )
    assert not is_token(keys[0].id)
    assert keys[0].secret.reveal() not in repr(keys[0])
