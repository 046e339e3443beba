"""A world file changed to say another world, and nothing else of it changed: comments, order and forms stay.

The text is spliced where a part of the world changed (`ringfence.worldfile.splicing`), and read back: what is given is
a file that means what it should, or nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from yaml import CollectionNode, MappingNode, Node, SequenceNode

from ringfence.errors import CannotAmend, WorldFileError
from ringfence.model.world import SECTIONS, World, by_name
from ringfence.worldfile.arranging import New, arranged
from ringfence.worldfile.instances import SHORT_PORT
from ringfence.worldfile.nodes import Cursor
from ringfence.worldfile.notes import Notes
from ringfence.worldfile.parse import parse
from ringfence.worldfile.shapes import Items, Named, Record, Shape, world_shape
from ringfence.worldfile.splicing import Splicer, is_empty


def amended(text: str, before: World, after: World) -> str:
    """The text of a world file that says ``before``, changed to say ``after``.

    Comments, order, quoting, and short and long forms of what does not change stay byte by byte. A comment at the end
    of a line goes with what stands on the line, one between lines stays unless what is around it goes. Raises
    `CannotAmend` where the text cannot be changed in place, or would not read back as ``after``.
    """
    if _ordered(before) == _ordered(after):
        return text
    page = Splicer(text)
    if not isinstance(page.root, MappingNode):
        raise CannotAmend("it is empty")
    _Amender(page).amend(page.root, world_shape(before), before, after)
    changed = page.changed
    _check(changed, after)
    return changed


def _check(text: str, after: World) -> None:
    try:
        found = parse(text, "the file", after.limits)
    except WorldFileError as error:
        raise CannotAmend(f"it would not be valid: {error.mistakes[0]}") from None
    missed = _difference(_ordered(found), _ordered(after))
    if missed:
        raise CannotAmend(f"{missed} would not be what it should")


def _difference(one: World, two: World) -> str:
    """Something that two worlds do not agree on, in words; empty where there is nothing."""
    for section in SECTIONS:
        old, new = getattr(one, section), getattr(two, section)
        if old != new:
            names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
            return f"{names[0]} in {section}"
    return "" if one == two else "the profile, or an expectation,"


def _ordered(world: World) -> World:
    """The world as a file gives it back, where the order of rules, entries and the like means nothing."""
    groups = (replace(it, rules=tuple(sorted(it.rules, key=lambda rule: rule.key))) for it in world.groups.values())
    lists = (replace(it, entries=tuple(sorted(it.entries))) for it in world.address_groups.values())
    ports = (replace(it, entries=tuple(sorted(it.entries))) for it in world.port_lists.values())
    return replace(world, groups=by_name(groups), address_groups=by_name(lists), port_lists=by_name(ports))


class _Amender:
    """Walks along the nodes of a page and what they mean before and after."""

    def __init__(self, page: Splicer) -> None:
        self._page = page

    def amend(
        self, node: Node, shape: Shape, old: Any, new: Any, *, key: Node | None = None, flow: bool = False
    ) -> None:
        """Make what stands at a node say ``new``; ``flow``: it stands inside of brackets."""
        inside = flow or not self._page.is_block(node)
        if self._page.is_alias(node):
            self._replace(node, shape.write(new), key, flow)
        elif isinstance(shape, Items):
            self._items(node, shape, new, key, flow)
        elif isinstance(shape, Named) and isinstance(node, MappingNode) and not is_empty(node):
            self._named(node, shape, old, new, key, inside)
        elif isinstance(shape, Record) and isinstance(node, MappingNode):
            self._record(node, shape, old, new, key, inside)
        elif isinstance(shape, Record) and shape.short and (isinstance(node, SequenceNode) or is_empty(node)):
            self._short(node, shape, old, new, key, flow)
        else:
            self._replace(node, shape.write(new), key, flow)

    def _replace(self, node: Node, data: Any, key: Node | None, flow: bool) -> None:
        if key is not None:
            self._page.fill(key, node, data, inside_flow=flow)
        else:
            self._page.rewrite(node, data, inside_flow=flow)

    def _named(
        self,
        node: MappingNode,
        shape: Named,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        above: Node | None,
        flow: bool,
    ) -> None:
        order: list[int | Any] = []
        for index, (key, value) in enumerate(node.value):
            if key.value not in new:
                continue
            order.append(index)
            was, will = old[key.value], new[key.value]
            if was is not will and was != will:
                self.amend(value, shape.each(was), was, will, key=key, flow=flow)
        known = {key.value for key, _ in node.value}
        come = [name for name in new if name not in known and (name not in old or old[name] != new[name])]
        order += [(name, shape.each(new[name]).write(new[name])) for name in come]
        self._rearrange(node, order, above)

    def _record(self, node: MappingNode, shape: Record, old: Any, new: Any, above: Node | None, flow: bool) -> None:
        entries = {key.value: index for index, (key, _) in enumerate(node.value)}
        if shape.flat and "ports" not in entries:
            if set(shape.parts(new)["ports"]) != {SHORT_PORT}:
                self._replace(node, shape.write(new), above, flow)
                return
            shape = shape.flat
        was, will = dict(shape.parts(old)), dict(shape.parts(new))
        gone = was.keys() - will.keys()
        if "template" in entries and not self._beside_template(node, entries, shape, was, will):
            gone = gone | {"template"}
        order: list[tuple[str, int | Any]] = []
        for index, (key, value) in enumerate(node.value):
            name = key.value
            if name not in gone:
                order.append((name, index))
            if name in will and was.get(name) != will[name]:
                self.amend(value, shape.kind(name), was.get(name, {}), will[name], key=key, flow=flow)
        for name in [name for name in will if name not in entries and was.get(name) != will[name]]:
            place = _place([key for key, _ in order], name, list(will))
            order.insert(place, (name, (name, shape.kind(name).write(will[name]))))
        self._rearrange(node, [each for _, each in order], None)

    def _beside_template(
        self, node: MappingNode, entries: Mapping[str, int], shape: Record, was: dict[str, Any], will: dict[str, Any]
    ) -> bool:
        """Whether the template can stay; ``was`` and ``will`` are left with what stands, or is to stand, beside it."""
        kind = shape.kind("rules")
        assert isinstance(kind, Items)
        listed = self._read(node.value[entries["rules"]][1], kind) if "rules" in entries else []
        made, rest = list((Counter(was["rules"]) - Counter(listed)).elements()), list(will["rules"])
        was["rules"] = listed
        if kind.ordered and rest[len(rest) - len(made) :] != made:
            return False
        if Counter(made) - Counter(rest):
            return False
        will["rules"] = rest[: -len(made) or None] if kind.ordered else _without(rest, made)
        return True

    def _short(self, node: Node, shape: Record, old: Any, new: Any, key: Node | None, flow: bool) -> None:
        was, will = shape.parts(old), shape.parts(new)
        others = {name: value for name, value in will.items() if name != shape.short and was.get(name) != value}
        below = key is None or node.start_mark.column > key.start_mark.column
        if others:
            if not isinstance(node, SequenceNode) or is_empty(node) or not (flow or below):
                self._replace(node, shape.write(new), key, flow)
                return
            data = {name: shape.kind(name).write(value) for name, value in others.items()}
            self._page.wrap(node, shape.short, data)
        one, two = was[shape.short], will[shape.short]
        if one != two:
            inside = flow or (bool(others) and not self._page.is_block(node))
            self.amend(node, shape.kind(shape.short), one, two, key=None if others else key, flow=inside)

    def _items(self, node: Node, shape: Items, new: Any, key: Node | None, flow: bool) -> None:
        want = list(new)
        have = self._read(node, shape)
        if not isinstance(node, SequenceNode) or not node.value:
            if have != want:
                self._replace(node, shape.write(want), key, flow)
            return
        item = shape.item
        found = arranged(have, want, item.parts if isinstance(item, Record) else None, ordered=shape.ordered)
        inside = flow or not self._page.is_block(node)
        for index, value in found.changed.items():
            self.amend(node.value[index], item, have[index], value, flow=inside)
        self._rearrange(node, [item.write(it.value) if isinstance(it, New) else it for it in found.order], key)

    def _read(self, node: Node, shape: Items) -> list[Any]:
        """What the items of a list mean."""
        notes = Notes()
        notes.place((), node.start_mark)
        items = Cursor(notes, node).items("", one=True)
        return [shape.read(item) for item in items]

    def _rearrange(self, node: CollectionNode, order: Sequence[int | Any], key: Node | None) -> None:
        if list(order) != list(range(len(node.value))):
            self._page.rearrange(node, order, key)


def _place(keys: Sequence[str], name: str, usual: Sequence[str]) -> int:
    """Where a new key goes: behind those that usually stand before it, else before those that stand behind it."""
    rank = usual.index(name)
    earlier = [at + 1 for at, key in enumerate(keys) if key in usual[:rank]]
    later = [at for at, key in enumerate(keys) if key in usual[rank:]]
    return max(earlier) if earlier else min(later, default=len(keys))


def _without(values: Iterable[Any], less: Iterable[Any]) -> list[Any]:
    rest = Counter(less)
    kept = []
    for value in values:
        if rest[value]:
            rest[value] -= 1
        else:
            kept.append(value)
    return kept
