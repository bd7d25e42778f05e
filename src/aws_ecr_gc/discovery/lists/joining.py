"""References in parts: a repository and beside it a tag, as Helm's values and kustomizations have them."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from aws_ecr_gc.discovery.lists.mention import hides_image, quoted
from aws_ecr_gc.discovery.lists.yaml_text import Line
from aws_ecr_gc.reference import Reference, mentions_registry, reference_of

_NAMES = ("repository", "newName", "image", "name")
_TAGS = ("tag", "newTag", "imageTag")
_HOLD = ("registry", *_NAMES)
_KEYS = frozenset(("registry", "digest", *_NAMES, *_TAGS))
_MOST_MERGED = 50


class Joined(Struct, frozen=True):
    """The references that the parts make, and the keys of the parts that mean nothing else."""

    references: tuple[Reference, ...] = ()
    keys: tuple[str, ...] = ()


def join(mapping: Mapping[object, object]) -> Joined:
    """What a mapping's own parts and those that it merges make together.

    Raises ValueError for parts that name an ECR registry and make no reference.
    """
    if "<<" not in mapping and not any(_names_registry(mapping.get(key)) for key in _HOLD):
        return Joined()
    parts = _parts(mapping, {}, 0)
    key = next((key for key in _NAMES if parts.get(key)), None)
    registry, tag = parts.get("registry") or "", next((parts[key] for key in _TAGS if key in parts), None)
    ours = mentions_registry(registry)
    if key is None:
        if ours and (tag is not None or "digest" in parts):
            raise ValueError(f"of an image in {quoted(registry)} the repository is left out")
        return Joined()
    whole = not ours or mentions_registry(parts[key])
    text = parts[key] if whole else f"{registry.rstrip('/')}/{parts[key]}"
    if whole and tag is None and "digest" not in parts:
        return Joined()
    reference = _reference(text)
    if reference is None:
        return Joined()
    return Joined(tuple(_completed(reference, tag, parts.get("digest"))), (key,) if whole else (key, "registry"))


def _parts(mapping: Mapping[object, object], known: dict[int, dict[str, str]], depth: int) -> dict[str, str]:
    """The parts of a mapping and of what it merges, each looked at once; its own come first, then the first merged."""
    if id(mapping) in known or depth > _MOST_MERGED:
        return known.get(id(mapping), {})
    parts: dict[str, str] = known.setdefault(id(mapping), {})
    merged = mapping.get("<<")
    for each in reversed(merged) if isinstance(merged, list) else [merged]:
        if isinstance(each, Mapping):
            parts.update(_parts(each, known, depth + 1))
    for key in _KEYS:
        value = mapping.get(key)
        if isinstance(value, Line) and value.null:
            parts[key] = ""
        elif isinstance(value, str):
            parts[key] = value
    return parts


def _names_registry(value: object) -> bool:
    return isinstance(value, str) and mentions_registry(value)


def _reference(text: str) -> Reference | None:
    if not mentions_registry(text):
        return None
    try:
        return reference_of(text.strip())
    except ValueError:
        if hides_image(text):
            raise
        return None


def _completed(reference: Reference, tag: str | None, digest: str | None) -> Iterator[Reference]:
    if tag == "" and not (digest or reference.tag or reference.digest):
        raise ValueError(f"the tag of {quoted(str(reference))} is empty, for which charts put one of their own")
    if reference.tag or reference.digest:
        yield reference
    for each in _spellings(tag):
        made = Reference(reference.repository, each or reference.tag, digest or reference.digest)
        reference_of(str(made))
        yield made


def _spellings(tag: str | None) -> list[str | None]:
    """A tag as it is written, and as Helm prints it where it takes it for a number: 1.10 is 1.1."""
    if isinstance(tag, Line) and tag.plain and re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", tag):
        return list(dict.fromkeys((tag, f"{float(tag):g}")))
    return [tag]
