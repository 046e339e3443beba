"""YAML text to nodes, with everything refused that a world file has no use for."""

from __future__ import annotations

from yaml import MappingNode, Mark, MarkedYAMLError, Node, SafeLoader, ScalarNode, SequenceNode, YAMLError
from yaml.reader import ReaderError

from ringfence.worldfile.notes import Notes

_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
)
_START = Mark("", 0, 0, 0, None, 0)


def compose(text: str, notes: Notes) -> Node | None:
    """The root node of the one document in ``text``; None, with a mistake noted, where there is no usable one."""
    try:
        root = _root(text, notes)
        usable = root is not None and _usable(root, notes)
    except RecursionError:
        notes.add(
            (), _START, "world.yaml", "the YAML is nested too deeply", "a world file is at most seven levels deep"
        )
        return None
    return root if usable else None


def _root(text: str, notes: Notes) -> Node | None:
    loader: SafeLoader | None = None
    try:
        loader = SafeLoader(text)
        root = loader.get_single_node()
    except ReaderError as error:
        line = text.count("\n", 0, error.position)
        column = error.position - text.rfind("\n", 0, error.position) - 1
        what = f"the character {chr(error.character)!r} is not allowed in YAML"
        notes.add((), Mark("", 0, line, column, None, 0), "world.yaml", what, "remove it")
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark or _START
        notes.add((), mark, "world.yaml", _words(error), _hint(error))
        return None
    except (YAMLError, ValueError, OverflowError) as error:
        # chr() of an escape like "\UFFFFFFFF" fails inside of PyYAML.
        mark = loader.get_mark() if loader else _START
        notes.add((), mark, "world.yaml", f"the YAML is broken: {error}", "correct it")
        return None
    if root is None:
        notes.add((), _START, "world.empty", "the file is empty", "describe vpcs, groups and instances")
    return root


def _words(error: MarkedYAMLError) -> str:
    context = ""
    if error.context:
        line = error.context_mark.line + 1 if error.context_mark else 1
        context = f" {error.context} that starts in line {line}" if error.context.startswith("while") else ""
    return f"the YAML is broken: {error.problem or error.context}{context}"


def _hint(error: MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "\\t" in problem:
        return "indent with spaces"
    if "document" in problem:
        return "keep one document in the file, without '---' between parts"
    if "alias" in problem:
        return "define the anchor (&name) before it is used, or quote a text that starts with '*'"
    return "check indentation, brackets and quotes; put a text that holds ': ', '::' or a bracket in quotes"


def _usable(root: Node, notes: Notes) -> bool:
    """Note foreign tags, texts that are none, merge keys and nodes that contain themselves."""
    done: set[int] = set()
    before = len(notes.mistakes)

    def visit(node: Node, above: frozenset[int]) -> None:
        if id(node) in above:
            notes.add((), node.start_mark, "world.yaml", "an alias stands inside of what it names", "write it out")
        if id(node) in above or id(node) in done:
            return
        _check(node, notes)
        for child in _children(node):
            visit(child, above | {id(node)})
        done.add(id(node))

    visit(root, frozenset())
    return len(notes.mistakes) == before


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [child for entry in node.value for child in entry]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _check(node: Node, notes: Notes) -> None:
    if node.tag not in _TAGS:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        notes.add((), node.start_mark, "world.yaml", f"the tag {tag} means nothing here", "remove it")
    elif node.tag == "tag:yaml.org,2002:merge":
        notes.add((), node.start_mark, "world.unsupported", "merge keys (<<) are not supported", "write the keys out")
    elif isinstance(node, ScalarNode) and any("\ud800" <= letter <= "\udfff" for letter in node.value):
        notes.add((), node.start_mark, "world.yaml", f"{node.value!r} holds half a character", "remove the escape")
