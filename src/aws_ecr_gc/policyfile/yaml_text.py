"""Reading YAML, as far as it means the same as JSON: no tags, no merging, no dates, one document.

Of YAML's words only those of the 1.2 core schema stand for booleans and nothing: `yes`, `no`, `on`, `off` are texts.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, cast

import yaml

from aws_ecr_gc.policyfile.mistakes import Mistake, Place
from aws_ecr_gc.policyfile.nodes import MOST_DEPTH, Lines, Node, Path, Read, Scalar, mistake, number, quoted

MOST_EXPANDED = 10_000
"""How many nodes all aliases together may stand for: a few lines of them can stand for billions."""

NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MENDS = (
    ("alias", 'write a text that begins with * in quotes, such as "*-rc"'),
    ("scanning a tag", "write a text that holds ! in quotes"),
    ("'\\t'", "indent with spaces"),
    ("cannot start any token", "write the text in quotes"),
    ("mapping values are not allowed", "check the indentation, and write a text that holds ': ' in quotes"),
    ("block end", "check the indentation"),
    ("unknown escape", "write it in single quotes, where a backslash means itself"),
    ("expected ',' or", "close the bracket, and write a text that holds a bracket, a comma or ? in quotes"),
)


_Valued = yaml.ScalarEvent | yaml.CollectionStartEvent


class _Anchored(NamedTuple):
    """A finished node, how many nodes it stands for, and how deep it nests."""

    node: Node
    size: int
    height: int


class _Hopeless(Exception):
    """What is left of the text can't be read."""

    def __init__(self, wrong: Mistake) -> None:
        super().__init__(str(wrong))
        self.mistake = wrong


def read(text: str, file: str) -> Read:
    """The tree of a YAML text; an empty one is null."""
    composer = _Composer(file)
    try:
        return composer.document(yaml.parse(text, Loader=yaml.SafeLoader)), composer.mistakes
    except _Hopeless as error:
        return None, [*composer.mistakes, error.mistake]
    except yaml.reader.ReaderError as error:
        place = Lines(text, file).place(error.position)
        wrong = mistake(place, (), f"not YAML: the character U+{ord(text[error.position]):04X} can't stand in it")
        return None, [wrong]
    except yaml.MarkedYAMLError as error:
        return None, [*composer.mistakes, _syntax_mistake(error, file)]


def _syntax_mistake(error: yaml.MarkedYAMLError, file: str) -> Mistake:
    place = _place(error.problem_mark or error.context_mark, file)
    reason = ", ".join(part for part in (error.context, error.problem) if part).replace("\\x00", "end of file")
    mend = next((mend for fragment, mend in _MENDS if fragment in reason), "")
    return mistake(place, (), f"not YAML: {reason}", mend)


def _place(mark: "yaml.Mark | yaml._yaml.Mark | None", file: str) -> Place:
    return Place(file, 1, 1) if mark is None else Place(file, mark.line + 1, mark.column + 1)


class _Composer:
    """Makes the tree out of the parser's events, so that nothing is ever built that the limits forbid."""

    def __init__(self, file: str) -> None:
        self.mistakes: list[Mistake] = []
        self._file = file
        self._anchors: dict[str, _Anchored | None] = {}
        self._expanded = 0

    def document(self, events: Iterator[yaml.Event]) -> Node:
        """The one document's node."""
        node: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if node is not None:
                    raise _Hopeless(mistake(self._place(event), (), "a second document begins", "keep one per file"))
                node = self._node(next(events), events, ()).node
        return node or Node(Place(self._file, 1, 1))

    def _place(self, event: yaml.Event) -> Place:
        return _place(event.start_mark, self._file)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> _Anchored:
        place = self._place(event)
        if len(path) > MOST_DEPTH:
            raise _Hopeless(mistake(place, (), f"nests deeper than {MOST_DEPTH}", "write it flatter"))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        return self._value(cast("_Valued", event), events, path)

    def _value(self, event: "_Valued", events: Iterator[yaml.Event], path: Path) -> _Anchored:
        place = self._place(event)
        if event.tag is not None:
            reason = f"the tag {quoted(event.tag)} is refused: nothing here takes one"
            mend = "leave it out, or write a text that begins with ! in quotes"
            self.mistakes.append(mistake(place, path, reason, mend))
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.SequenceStartEvent):
            made = self._list(place, events, path)
        elif isinstance(event, yaml.MappingStartEvent):
            made = self._mapping(place, events, path)
        else:
            scalar = cast("yaml.ScalarEvent", event)
            made = _Anchored(Node(place, _scalar(scalar), scalar.value), 1, 0)
        if event.anchor is not None:
            self._anchors[event.anchor] = made
        return made

    def _alias(self, event: yaml.AliasEvent, path: Path) -> _Anchored:
        place, name = self._place(event), event.anchor
        if name not in self._anchors:
            mend = f'write a text that begins with * in quotes: "*{name}"'
            raise _Hopeless(mistake(place, path, f"the alias *{name} has no anchor &{name} before it", mend))
        target = self._anchors[name]
        if target is None:
            raise _Hopeless(mistake(place, path, f"the alias *{name} stands within what it stands for", "write it out"))
        self._expanded += target.size
        if self._expanded > MOST_EXPANDED or len(path) + target.height > MOST_DEPTH:
            reason = f"aliases stand for more than {MOST_EXPANDED} values or nest deeper than {MOST_DEPTH}"
            raise _Hopeless(mistake(place, path, reason, "write fewer of them"))
        return target

    def _list(self, place: Place, events: Iterator[yaml.Event], path: Path) -> _Anchored:
        made: list[_Anchored] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            made.append(self._node(event, events, (*path, len(made))))
        return _over(Node(place, items=tuple(each.node for each in made)), made)

    def _mapping(self, place: Place, events: Iterator[yaml.Event], path: Path) -> _Anchored:
        members: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        made: list[_Anchored] = []
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, events, path)
            value = self._node(next(events), events, (*path, key or "?"))
            made.append(value)
            if key is None:
                continue
            if key in members:
                reason = f"is stated twice, first in line {keys[key].line}, column {keys[key].column}"
                self.mistakes.append(mistake(self._place(event), (*path, key), reason, "leave one of them out"))
                continue
            members[key], keys[key] = value.node, self._place(event)
        return _over(Node(place, members=members, keys=keys), made)

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> str | None:
        """The text of a key, or None for what is none."""
        node = self._node(event, events, path).node
        place = self._place(event)
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.value == "<<":
            mend = "write the keys out, or give the whole value as an alias"
            self.mistakes.append(mistake(place, path, "merging with << is refused", mend))
            return None
        if node.is_scalar and isinstance(node.scalar, str):
            return node.scalar
        mend = f"write it in quotes: {quoted(node.spelled)}" if node.is_scalar else "write a text"
        self.mistakes.append(mistake(place, path, "a key must be a text", mend))
        return None


def _over(node: Node, children: list[_Anchored]) -> _Anchored:
    size, height = 1 + sum(each.size for each in children), 1 + max((each.height for each in children), default=0)
    return _Anchored(node, size, height)


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    if not event.implicit[0]:
        return str(event.value)
    if event.value in _WORDS:
        return _WORDS[event.value]
    return number(event.value) if re.fullmatch(NUMBER, event.value) else str(event.value)
