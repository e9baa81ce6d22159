"""Catalogue files as YAML: read within limits, with the line of every value."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

_MOST_LEVELS = 20
_LONGEST_NUMBER = 20
_GREATEST = 10**9
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")


class _Loader(yaml.SafeLoader):
    """Reads dates as text, so that a day that does not exist is reported with its line.

    Aliases are refused, and so are more levels than a definition has: with them a short text could
    stand for an endless one.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _level = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise ComposerError(None, None, "write it out in full", mark)
        if self._level == _MOST_LEVELS:
            raise ComposerError(None, None, "too many levels", mark)
        self._level += 1
        node = super().compose_node(parent, index)
        self._level -= 1
        return node

    def construct_scalar(self, node: Any) -> Any:
        value = super().construct_scalar(node)
        if _NO_TEXT.search(value):
            raise ConstructorError(None, None, "a character that is none", node.start_mark)
        return value

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        try:
            value = super().construct_yaml_int(node) if len(node.value) <= _LONGEST_NUMBER else None
        except ValueError:
            value = None
        if value is None or abs(value) > _GREATEST:
            raise ConstructorError(None, None, "a number that is none", node.start_mark)
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def parsed(text: str) -> tuple[yaml.Node | None, Any]:
    """A catalogue file as nodes, which know their lines, and as plain values.

    Raises yaml.YAMLError.
    """
    loader = _Loader(text)
    try:
        tree = loader.get_single_node()
        return tree, None if tree is None else loader.construct_document(tree)
    except yaml.YAMLError:
        raise
    except Exception as error:
        # A value that does not fit its tag fails in as many ways as there are tags.
        words = "a value that is not what its tag says"
        raise ConstructorError(None, None, words, None) from error
    finally:
        loader.dispose()


def twice(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Keys that occur twice in one mapping, with their lines: YAML would silently take the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line + 1, str(key.value)
            seen.add(key.value)
            yield from twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from twice(value)


def line_of(node: yaml.Node, location: Sequence[int | str]) -> int:
    """The line (from 1) of the deepest part of the location that is in the file."""
    for step in location:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = node.value[step] if step < len(node.value) else None
        if found is None:
            break
        node = found
    return int(node.start_mark.line) + 1
