"""What a file with cases says and can't mean. What is unsound in its shape is passed over here."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from msgspec import Struct, structs

from aws_ecr_gc.inventory import INDEX_TYPES
from aws_ecr_gc.policy.rules import RESERVED_NAMES
from aws_ecr_gc.policyfile import Mistake, PolicyFile
from aws_ecr_gc.policyfile.nodes import quoted
from aws_ecr_gc.policyfile.rule_meaning import duration_mistakes
from aws_ecr_gc.policyfile.spots import Spot
from aws_ecr_gc.policytests.cases import NAMED_IN_TAG, NO_POLICY, made_digest, moment, tag_with_digests
from aws_ecr_gc.policytests.shape import CasePart, ImagePart

_LONGEST_TAG = 128
_OF_CASE, _OF_IMAGE = (frozenset(each.encode_name for each in structs.fields(part)) for part in (CasePart, ImagePart))


def document_mistakes(document: Spot, policies: PolicyFile | None) -> Iterator[Mistake]:
    """All of a document's. Without `policies`, which may be wrong themselves, rules are not looked for."""
    cases = list(document.each("cases"))
    names = [name for case in cases if (name := case.sound("name")) is not None]
    yield from _repeated(((name, name.text) for name in names), "the name of an earlier case", "name each case once")
    for case in cases:
        yield from _time_mistakes(case, "at")
        images = list(case.each("images"))
        for image in images:
            yield from _image_mistakes(image)
        yield from _identity_mistakes(images)
        yield from _emptiness_mistakes(case, images)
        allowed = None if policies is None else _reasons(case, policies)
        for by in _each_sound(images, "by") if allowed is not None else ():
            yield from _reason_mistakes(by, allowed or [], unfit="fits" in case.keys)


def _image_mistakes(image: Spot) -> Iterator[Mistake]:
    """What one image says that contradicts itself."""
    for key in ("pushed", "pulled", "archived", "activated"):
        yield from _time_mistakes(image, key)
    for key in ("age", "pulled_age", "archived_age", "activated_age"):
        yield from duration_mistakes(image.sound(key), zero=None)
    for time, age in (("pushed", "age"), *((each, f"{each}_age") for each in ("pulled", "archived", "activated"))):
        if time in image.keys and age in image.keys:
            yield image.mistake_of(age, f"says once more what {time} says", "leave one of them out")
    if _has_only(_OF_IMAGE, image) and not {"pushed", "age"} & {*image.keys}:
        yield image.mistake("does not say when it was pushed", "write age: 9d, or pushed: with a time")
    for key in ("by", "loses"):
        if key in image.keys and "expect" not in image.keys:
            yield image.mistake_of(key, "needs expect", "write expect: kept or expect: collected beside it")
    tags = {tag.text for tag in image.texts("tags")}
    for tag in image.texts("loses"):
        if tag.text not in tags:
            yield tag.mistake(
                f"{quoted(tag.text)} is no tag of this image, so it can't lose it", "write one of its tags"
            )
    media_type = image.sound("media_type")
    if media_type is not None and "index_of" in image.keys and media_type.text not in INDEX_TYPES:
        reason = f"{quoted(media_type.text)} is the type of no index, and index_of says that it is one"
        yield media_type.mistake(reason, "leave one of them out")


def _time_mistakes(spot: Spot, key: str) -> Iterator[Mistake]:
    time = spot.sound(key)
    if time is not None:
        try:
            moment(time.text)
        except ValueError as error:
            yield time.mistake(f"{quoted(time.text)} is no time of the calendar: {error}")


class _Named(Struct, frozen=True):
    """The digests of the images that have names, and of all by their places; None where one is not understood."""

    by_name: Mapping[str, str | None]
    by_place: list[str | None]

    def target(self, reference: str) -> str | None:
        return reference if ":" in reference else self.by_name.get(reference)


def _identity_mistakes(images: list[Spot]) -> Iterator[Mistake]:
    """Names, digests and tags that are there twice, and names that are not there."""
    names = list(_each_sound(images, "name"))
    yield from _repeated(((name, name.text) for name in names), "the name of an earlier image", "name each image once")
    digests = [_digest(at, image) for at, image in enumerate(images)]
    stated = [(image.at("digest") or image, digest) for image, digest in zip(images, digests, strict=True) if digest]
    by_name: dict[str, str | None] = {}
    for image, digest in zip(images, digests, strict=True):
        name = image.sound("name")
        if name is not None:
            by_name.setdefault(name.text, digest)
    if len(by_name) == len(names):  # a name that is there twice stands for a digest that is there twice
        yield from _repeated(stated, "the digest of an earlier image", "write another one, or leave it out")
    known = _Named(by_name, digests)
    tags: list[tuple[Spot, str]] = []
    for at, image in enumerate(images):
        yield from _reference_mistakes(at, image, known)
        for tag in image.texts("tags"):
            yield from _tag_mistakes(tag, known, tags)
    yield from _repeated(tags, "a tag of an earlier image", "a tag is on one image; write each once")


def _digest(at: int, image: Spot) -> str | None:
    stated, name = image.at("digest"), image.at("name")
    if stated is not None:
        return stated.text if stated.is_sound else None
    if name is not None:
        return made_digest(name.text) if name.is_sound else None
    return made_digest(f"images[{at}]")


def _reference_mistakes(at: int, image: Spot, known: _Named) -> Iterator[Mistake]:
    subject = image.sound("subject")
    for reference in (*image.texts("index_of"), *(() if subject is None else (subject,))):
        if ":" not in reference.text and reference.text not in known.by_name:
            yield reference.mistake(*_unknown_image(reference.text, known))
            continue
        target = known.target(reference.text)
        if target is not None and target == known.by_place[at]:
            yield reference.mistake("is this image itself: no manifest holds its own digest", "name another image")


def _tag_mistakes(tag: Spot, known: _Named, tags: list[tuple[Spot, str]]) -> Iterator[Mistake]:
    """Those of one tag; what it amounts to is added to `tags`."""
    names = NAMED_IN_TAG.findall(tag.text)
    unknown = [name for name in names if name not in known.by_name]
    for name in unknown:
        yield tag.mistake(*_unknown_image(name, known))
    digests = {name: digest for name in names if (digest := known.by_name.get(name)) is not None}
    if len(digests) < len(set(names)):
        return
    whole = tag_with_digests(tag.text, digests)
    tags.append((tag, whole))
    if len(whole) > _LONGEST_TAG:
        reason = f"{quoted(whole)} has {len(whole)} characters, and a tag has {_LONGEST_TAG} at most"
        yield tag.mistake(reason, "write a shorter one")


def _unknown_image(name: str, known: _Named) -> tuple[str, str]:
    close = get_close_matches(name, known.by_name, 1)
    mend = f"did you mean {close[0]}?" if close else f"write name: {name} on the image that is meant"
    return f"no image of this case has the name {quoted(name)}", mend


def _emptiness_mistakes(case: Spot, images: list[Spot]) -> Iterator[Mistake]:
    """That a case could not fail."""
    if not images or {"guards", "fits"} & {*case.keys} or any({"expect", "by"} & {*image.keys} for image in images):
        return
    if _has_only(_OF_CASE, case) and all(_has_only(_OF_IMAGE, image) for image in images):
        yield case.mistake(
            "expects nothing, so it could not fail", "write expect: kept or expect: collected on an image"
        )


def _reasons(case: Spot, policies: PolicyFile) -> list[str] | None:
    """What may stand in `by`; None where that can't be told, or does not matter, as the case fails for no policy."""
    if "fits" in case.keys:
        return None if case.sound("fits") is None else [NO_POLICY]
    repository, tags = case.sound("repository"), case.at("resource_tags")
    if repository is None or not (tags is None or tags.is_sound):
        return None
    found = {} if tags is None else {key: str(value.scalar) for key, value in (tags.node.members or {}).items()}
    policy = policies.policy_for(repository.text, lambda: found)
    return None if policy is None else [*(rule.name for rule in policy.rules), *sorted(RESERVED_NAMES - {NO_POLICY})]


def _reason_mistakes(by: Spot, allowed: list[str], *, unfit: bool) -> Iterator[Mistake]:
    if by.text in allowed:
        return
    if unfit:
        reason, mend = "has no part in it where no policy fits", f"write by: {NO_POLICY}, or leave it out"
    elif by.text == NO_POLICY:
        reason, mend = "is the reason where no policy fits, and one does", "leave it out, or write fits: none"
    else:
        close = get_close_matches(by.text, allowed, 1)
        rules = ", ".join(name for name in allowed if name not in RESERVED_NAMES)
        reason = "is no rule of the policy that fits, and no other reason"
        mend = f"did you mean {close[0]}?" if close else f"there are {rules}"
    yield by.mistake(f"{quoted(by.text)} {reason}", mend)


def _has_only(known: frozenset[str], spot: Spot) -> bool:
    """Whether this is a mapping without slips among its keys, one of which may be the key that is missed."""
    return spot.node.members is not None and known.issuperset(spot.keys)


def _each_sound(spots: Iterable[Spot], key: str) -> Iterator[Spot]:
    return (found for spot in spots if (found := spot.sound(key)) is not None)


def _repeated(named: Iterable[tuple[Spot, str]], what: str, mend: str) -> Iterator[Mistake]:
    lines: dict[str, int] = {}
    for spot, text in named:
        if text in lines:
            yield spot.mistake(f"{quoted(text)} is {what} too, in line {lines[text]}", mend)
        lines.setdefault(text, spot.node.place.line)
