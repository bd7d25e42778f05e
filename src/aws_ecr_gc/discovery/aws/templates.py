"""CloudFormation templates: the texts in them, with what their functions stand for, as far as that is known beforehand.

Known are parameters, pseudo parameters and mappings. What only the deployed resources tell, such as Fn::GetAtt, is left
as a gap, `${...}`, so that no half of a reference is taken for a whole one.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import yaml

_GAP = "${}"
_Known = str | list[str] | None
"""What a value stands for; None where that is not known."""


def parsed(body: object) -> Mapping[str, Any]:
    """A template out of JSON (as values, the way botocore hands it out) or YAML, where all scalars are texts.

    Raises ValueError for what is neither.
    """
    if isinstance(body, str):
        try:
            # Not a safe loader but one that makes texts of all scalars: in a mapping, 012345678901 is an account.
            body = yaml.load(body, _loader())  # noqa: S506
        except yaml.YAMLError as error:
            raise ValueError(f"not YAML: {error}") from error
    if not isinstance(body, Mapping):
        raise ValueError("not an object")  # noqa: TRY004 - it is the text that is wrong
    return body


@cache
def _loader() -> Any:
    base: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

    class Loader(base):  # type: ignore[misc]  # whether the C library is there is only known now
        """YAML with CloudFormation's short forms, such as !Sub."""

    Loader.add_multi_constructor("!", _long_form)
    return Loader


def _long_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """`!Ref x` as {"Ref": "x"}, `!Sub x` as {"Fn::Sub": "x"}."""
    construct: Callable[..., Any] = loader.construct_scalar
    if isinstance(node, yaml.SequenceNode):
        construct = loader.construct_sequence
    elif isinstance(node, yaml.MappingNode):
        construct = loader.construct_mapping
    value = construct(node) if isinstance(node, yaml.ScalarNode) else construct(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


def texts(template: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    """Every text of a template, wherever it stands; `names` are the values of its parameters and pseudo parameters."""
    yield from _Texts(template, names).every()


class _Texts:
    def __init__(self, template: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self._names = names
        self._mappings = template.get("Mappings")
        self._parameters = template.get("Parameters")
        self._waiting: list[object] = [template]
        self._functions: Mapping[str, Callable[[Any], _Known]] = {
            "Ref": self._ref,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Base64": self._known,
        }

    def every(self) -> Iterator[str]:
        seen: set[int] = set()
        while self._waiting:
            value = self._waiting.pop()
            # Aliases of YAML stand for the same object again: a few lines of them would make billions of visits.
            if isinstance(value, (Mapping, list)):
                if id(value) in seen:
                    continue
                seen.add(id(value))
            known = None if isinstance(value, list) else self._known(value)
            if isinstance(known, str):
                yield known
            elif known is not None:
                yield from known
            elif isinstance(value, Mapping):
                self._waiting.extend(value.values())
            elif isinstance(value, list):
                self._waiting.extend(value)

    def _known(self, value: object) -> _Known:
        """What a value stands for."""
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, list):
            return [text for each in value for text in _as_list(self._or_gap(each))]
        if isinstance(value, Mapping) and len(value) == 1:
            ((name, argument),) = value.items()
            function = self._functions.get(name)
            return function(argument) if function else None
        return None

    def _or_gap(self, value: object) -> str | list[str]:
        """What a value stands for, or a gap; what is within an unknown one is then looked through by itself."""
        known = self._known(value)
        if known is None:
            self._waiting.extend(value.values() if isinstance(value, Mapping) else ())
            return _GAP
        return known

    def _ref(self, name: Any) -> _Known:
        if not isinstance(name, str) or name not in self._names:
            return None
        text = self._names[name]
        declared = self._parameters.get(name) if isinstance(self._parameters, Mapping) else None
        kind = str(declared.get("Type")) if isinstance(declared, Mapping) else ""
        return text.split(",") if "List<" in kind or kind == "CommaDelimitedList" else text

    def _sub(self, argument: Any) -> _Known:
        text, own = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        if not isinstance(text, str) or not isinstance(own, Mapping):
            return None
        names = {**self._names, **{name: self._or_gap(value) for name, value in own.items()}}

        def value_of(found: re.Match[str]) -> str:
            value = names.get(found[2].strip())
            return value if isinstance(value, str) and not found[1] else f"${{{found[2]}}}"

        return re.sub(r"\$\{(!?)([^{}]*)\}", value_of, text)

    def _join(self, argument: Any) -> _Known:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            return None
        parts = self._known(argument[1])
        return argument[0].join(parts) if isinstance(parts, list) else None

    def _find_in_map(self, argument: Any) -> _Known:
        if not isinstance(argument, list) or len(argument) < 3:
            return None
        found: object = self._mappings
        for each in argument[:3]:
            key = self._known(each)
            found = found.get(key) if isinstance(found, Mapping) and isinstance(key, str) else None
        return self._known(found)

    def _select(self, argument: Any) -> _Known:
        if not isinstance(argument, list) or len(argument) != 2:
            return None
        index, among = self._known(argument[0]), self._known(argument[1])
        if not isinstance(among, list) or not isinstance(index, str) or not index.isdecimal():
            return None
        return among[int(index)] if int(index) < len(among) else None

    def _split(self, argument: Any) -> _Known:
        if not isinstance(argument, list) or len(argument) != 2:
            return None
        text = self._known(argument[1])
        divided_by = argument[0]
        return text.split(divided_by) if isinstance(text, str) and isinstance(divided_by, str) and divided_by else None


def _as_list(known: str | list[str]) -> list[str]:
    return [known] if isinstance(known, str) else known
