"""Documents, YAML or JSON: every text anywhere in them that holds references counts, whatever its key.

That takes in Kubernetes manifests, Compose files, Terraform plans, task definitions. Too much is safe: an image that is
only spoken of is kept. What names an ECR registry, but no image that can be told, is an error.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import yaml

from aws_ecr_gc.discovery.lists import json_text, yaml_text
from aws_ecr_gc.discovery.lists.joining import join
from aws_ecr_gc.discovery.lists.mention import (
    MEND,
    Mention,
    hides_image,
    may_be_private,
    quoted,
    refusal,
)
from aws_ecr_gc.discovery.lists.places import Place, subject_of
from aws_ecr_gc.discovery.lists.variables import substitute
from aws_ecr_gc.discovery.lists.yaml_text import Line
from aws_ecr_gc.errors import SourceFailure
from aws_ecr_gc.reference import mentions_registry, reference_of, references_in

_COMPOSE_MEND = "give the output of `docker compose config`"
_MOST_EMBEDDED = 8
# A chart's values within a document: only there does YAML within a text say more than the text.
_VALUES = re.compile(r"^[ \t-]*(?:repository|newName|image)[ \t]*:", re.MULTILINE)
# What templates leave open: of a shell, of Helm, of CodeDeploy. Tekton's and Argo's own are no templates of files.
_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$[A-Za-z_{]")
_OPEN = re.compile(r"\$\{|\$[A-Za-z_]|\{\{-?\s*(?:[.$]|include|tpl|printf|template|default|quote)|<[A-Z0-9_]+>")
# These name a repository: that there is no `latest` in it says nothing.
_REPOSITORIES = frozenset(("repository_url", "repository_uri", "repositoryUri"))


def read_yaml(text: str, name: str) -> Iterator[Mention]:
    """The references in a YAML stream."""
    return _read(yaml_text.read(text, name), Place(name, base=0), text)


def read_json(text: str, name: str) -> Iterator[Mention]:
    """The references in one or several JSON values."""
    return _read(json_text.read(text, name), Place(name), text)


def _read(roots: Iterable[object], place: Place, text: str) -> Iterator[Mention]:
    empty = True
    for root in roots:
        empty = empty and (root is None or (isinstance(root, Line) and root.null))
        yield from _document(root, place, 0)
    if empty and not any(line.lstrip().startswith("#") for line in text.split("\n")):
        raise nothing(place.name)


def nothing(name: str) -> SourceFailure:
    """The error of a list without any content, which is what many a failure leaves behind."""
    return SourceFailure(f"{name}: it is empty; a list without images holds a comment line: # none")


def _document(root: object, place: Place, depth: int) -> Iterator[Mention]:
    """The references in one document, each of its values visited once, whatever the number of aliases for it."""
    if isinstance(root, Mapping):
        manifest = place.manifest or "apiVersion" in root
        compose = not manifest and "kind" not in root and isinstance(root.get("services"), Mapping)
        place = place._replace(compose=compose, manifest=manifest)
    seen: set[int] = set()
    waiting = [(root, place)]
    while waiting:
        value, here = waiting.pop()
        if isinstance(value, str):
            yield from _text(value, here, depth)
        elif isinstance(value, (dict, list)) and id(value) not in seen:
            seen.add(id(value))
            left_out: tuple[str, ...] = ()
            if isinstance(value, dict) and not here.compose:
                joined, left_out = _parts(value, here)
                yield from joined
            waiting.extend(_children(value, here, left_out))


def _children(
    value: dict[object, object] | list[object], place: Place, left_out: tuple[str, ...]
) -> list[tuple[object, Place]]:
    """The values within a list or mapping that can hold references, the last one first."""
    pairs = list(enumerate(value)) if isinstance(value, list) else list(value.items())
    subject = (subject_of(value) if isinstance(value, dict) else None) or place.subject
    services = place.compose and place.key == "services" and place.around is not None and place.around.around is None
    return [
        (child, place.inside(key, f"service {quoted(str(key))[1:-1]}" if services else subject))
        for key, child in reversed(pairs)
        if key not in left_out and _may_speak(key, child, place)
    ]


def _may_speak(key: object, child: object, place: Place) -> bool:
    if isinstance(child, str):
        return "dkr" in child.lower() or key == "image" or (place.compose and "$" in child)
    return bool(child) and isinstance(child, (dict, list))


def _parts(mapping: dict[object, object], place: Place) -> tuple[list[Mention], tuple[str, ...]]:
    """The references that parts make beside each other, and the keys that are thereby read."""
    spoken = next((value for value in mapping.values() if isinstance(value, str)), "")
    try:
        joined = join(mapping)
    except ValueError as error:
        raise refusal(place.name, place.where(spoken), str(error), MEND) from error
    if not joined.references:
        return [], ()
    workload = place._replace(subject=subject_of(mapping) or place.subject).workload(spoken)
    return [Mention(reference, workload, place.current) for reference in joined.references], joined.keys


def _text(text: str, place: Place, depth: int) -> Iterator[Mention]:
    resolved = _resolved(text, place)
    if "dkr" not in resolved.lower():
        return
    embedded = _embedded(resolved) if depth < _MOST_EMBEDDED else []
    for root in embedded:
        yield from _document(root, place.embedding(text), depth + 1)
    if not embedded:
        yield from _references(resolved, text, place)


def _references(resolved: str, text: str, place: Place) -> Iterator[Mention]:
    workload = place.workload(text)
    try:
        whole = reference_of(resolved.strip())
    except ValueError:
        whole = None
    if whole is None and (hides_image(resolved) or _is_registry_of_others(resolved, place)):
        reason = f"{quoted(resolved)} names an ECR registry, but no image that can be told"
        raise refusal(place.name, place.where(text), reason, MEND)
    for reference in references_in(resolved) if whole is None else [whole]:
        bare = reference.tag is None and reference.digest is None and place.key in _REPOSITORIES
        yield Mention(reference, workload, place.current and not bare)


def _is_registry_of_others(text: str, place: Place) -> bool:
    """Whether it is the registry, in a chart's values, of images whose names stand elsewhere."""
    return place.key == "imageRegistry" and not place.manifest and mentions_registry(text)


def _resolved(text: str, place: Place) -> str:
    """The text with the variables of a Compose file replaced. Raises where an image may hide behind one."""
    if not place.compose:
        found = _OPEN.search(text) if place.key == "image" else None
        if found is not None and may_be_private(text[: found.start()]):
            raise refusal(place.name, place.where(text), f"the image {quoted(text)} is left open", MEND)
        return text
    made = substitute(text, {}, escape="$")
    if made.missing is None:
        if _VARIABLE.search(text) and (mentions_registry(made.text) or mentions_registry(text)):
            # The default is what runs only where neither the environment nor a file .env says otherwise.
            reason = f"what {quoted(text)} comes to depends on the environment"
            raise refusal(place.name, place.where(text), reason, _COMPOSE_MEND)
        return made.text
    if mentions_registry(text) or (place.key == "image" and may_be_private(made.text)):
        reason = f"the variable {quoted(made.missing)[1:-1]} in {quoted(text)} has no value"
        raise refusal(place.name, place.where(text), reason, _COMPOSE_MEND)
    return ""


def _embedded(text: str) -> list[object]:
    """The lists and mappings that a text is, if it is a document of its own."""
    try:
        if text.lstrip()[:1] in ("{", "["):
            roots = list(json_text.values(text))
        elif "\n" in text and _VALUES.search(text):
            roots = list(yaml_text.documents(text))
        else:
            return []
    except (ValueError, yaml.YAMLError):
        return []
    return roots if all(isinstance(root, (dict, list)) for root in roots) else []
