"""In which order groups stand from left to right: who the internet reaches, then whom these reach, and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringfence.analysis.picture.edges import Edge

_MOST = 5
"""So many ranks at most: what is deeper moves together."""
_After = Mapping[int, set[int]]


def ranks(nodes: Sequence[int], edges: Sequence[Edge], reached: set[int]) -> dict[int, int]:
    """The rank of each node, from 0. ``reached`` are those that the internet reaches.

    Nobody stands left of who is nearer to the internet and sends to them; what is mutual within one edge says nothing
    about who comes first. Among the rest the longest path counts, and edges that close a circle do not.
    """
    after: dict[int, set[int]] = {node: set() for node in nodes}
    for edge in edges:
        mutual = {*edge.sources} & {*edge.destinations}
        for one, two in edge.pairs:
            if one in after and two in after and not {one, two} <= mutual:
                after[one].add(two)
    steps = _steps(after, reached)
    onward = {one: {two for two in others if steps[one] <= steps[two]} for one, others in after.items()}
    found = _longest(nodes, onward, steps)
    deepest = max(found.values(), default=0)
    return found if deepest < _MOST else {node: rank * (_MOST - 1) // deepest for node, rank in found.items()}


def _steps(after: _After, reached: set[int]) -> dict[int, int]:
    """How many steps from the internet each node is; who cannot be reached from there is farther than all others."""
    found = dict.fromkeys(sorted(reached), 1)
    for one in (queue := [*found]):
        for two in sorted(after[one] - found.keys()):
            found[two] = found[one] + 1
            queue.append(two)
    return dict.fromkeys(after, len(after) + 1) | found


def _longest(nodes: Sequence[int], after: _After, steps: Mapping[int, int]) -> dict[int, int]:
    """Ranks by the longest path, in an order in which who is sent to by fewer that are left comes first."""
    found, left = dict.fromkeys(nodes, 0), [*nodes]
    before: dict[int, set[int]] = {node: {one for one in nodes if node in after[one]} for node in nodes}
    while left:
        rest = set(left)
        first = min(left, key=lambda it: (len(before[it] & rest - {it}), -len(after[it] & rest), steps[it], it))
        left.remove(first)
        for two in after[first] & rest - {first}:
            found[two] = max(found[two], found[first] + 1)
    return found
