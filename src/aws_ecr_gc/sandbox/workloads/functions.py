"""Lambda functions made of images, and their versions."""

import hashlib

import msgspec

from aws_ecr_gc.sandbox.workloads.resolving import repository_of
from aws_ecr_gc.sandbox.workloads.site import Site

LATEST = "$LATEST"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version: the image as it was named, and the digest that Lambda found then. A function in a zip has neither."""

    number: str
    image: str | None
    digest: str | None
    modified_at: float

    @property
    def code_sha256(self) -> str:
        """For an image, the hexadecimal digits of its digest."""
        return (self.digest or hashlib.sha256(repr(self.image).encode()).hexdigest()).removeprefix("sha256:")

    @property
    def resolved_uri(self) -> str | None:
        """`<registry>/<repository>@<digest>`."""
        return None if self.image is None or self.digest is None else f"{repository_of(self.image)}@{self.digest}"


class Function:
    """A function; `versions` has $LATEST first, then those that were published."""

    def __init__(self, site: Site, name: str, image: str | None) -> None:
        self._site = site
        self._published = 0
        self.name = name
        self.versions: dict[str, Version] = {LATEST: self._version(LATEST, image)}

    @property
    def arn(self) -> str:
        """Of the function, not of one of its versions."""
        return self._site.arn("lambda", f"function:{self.name}")

    def update(self, image: str | None) -> None:
        """Give $LATEST another image: the tag is resolved now, and never again."""
        with self._site.lock:
            self.versions[LATEST] = self._version(LATEST, image)

    def publish(self) -> Version:
        """Make a version of $LATEST as it is."""
        with self._site.lock:
            latest = self.versions[LATEST]
            self._published += 1
            published = msgspec.structs.replace(latest, number=str(self._published))
            self.versions[published.number] = published
            return published

    def remove(self, number: str) -> None:
        """Delete a published version. Raises KeyError when there is none."""
        with self._site.lock:
            del self.versions[number]

    def _version(self, number: str, image: str | None) -> Version:
        uri = None if image is None else self._site.uri(image)
        digest = None if uri is None else self._site.resolve(uri)
        return Version(number=number, image=uri, digest=digest, modified_at=self._site.clock.now())


class Functions:
    """All functions, by name."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.by_name: dict[str, Function] = {}

    def create(self, name: str, image: str | None) -> Function:
        """Create a function of an image, or (None) in a zip file. Raises KeyError when there is one of that name."""
        with self.site.lock:
            if name in self.by_name:
                raise KeyError(f"function {name} exists")
            self.by_name[name] = Function(self.site, name, image)
            return self.by_name[name]

    def remove(self, name: str) -> None:
        """Delete a function with all its versions. Raises KeyError when there is none."""
        with self.site.lock:
            del self.by_name[name]
