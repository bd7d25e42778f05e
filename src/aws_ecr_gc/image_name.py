"""What container tools call an image name: `[domain/]path[:tag][@digest]`.

The grammar and the completion to docker.io are those of github.com/distribution/reference v0.6.0, which Docker,
containerd and Kubernetes read names with. Letters and digits are ASCII. All patterns take linear time.
"""

import re

from msgspec import Struct

HUB = "docker.io"
LATEST = "latest"

# The bytes of these digests in hexadecimal digits
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_LONGEST_PATH = 255
_LABEL = r"(?!-)[A-Za-z0-9-]+(?<!-)"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}"


class ImageName(Struct, frozen=True):
    """The parts of an image name.

    The domain is `host` or `host:port`, as written, and empty where the text names none. The path has no tag. The
    digest is `sha256:<64 hex>`, or one of sha384 or sha512.
    """

    domain: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @property
    def normalized(self) -> str:
        """`domain/path[:tag][@digest]`; without the domain if there is none."""
        return _joined(self.domain, self.path, self.tag, self.digest)

    @property
    def familiar(self) -> str:
        """As Docker shows it: without docker.io, and without its library/."""
        if self.domain != HUB:
            return self.normalized
        short = self.path.removeprefix("library/")
        return _joined("", self.path if "/" in short else short, self.tag, self.digest)

    @property
    def pulled(self) -> str:
        """What Docker and containerd pull: the digest if there is one, otherwise the tag, otherwise `latest`."""
        tag = None if self.digest else self.tag or LATEST
        return _joined(self.domain, self.path, tag, self.digest)


def parse(text: str) -> ImageName:
    """The image that a container tool pulls by this name: `ubuntu` is docker.io/library/ubuntu.

    Raises ValueError of one line with the text and the reason for what is no image name.
    """
    if re.fullmatch(r"[a-f0-9]{64}", text):
        raise _not_a_name(text, "64 hexadecimal digits are an image's id")
    domain, path = _completed(text)
    return _parsed(f"{domain}/{path}", text)


def parse_plain(text: str) -> ImageName:
    """The parts as they are written, nothing completed: `library/ubuntu` is a path of a domain `library`.

    Raises ValueError as `parse` does.
    """
    return _parsed(text, text)


def _completed(text: str) -> tuple[str, str]:
    """Domain and rest. A first component without dot, colon and capital is no domain, localhost excepted."""
    first, slash, rest = text.partition("/")
    if not slash or not (first == "localhost" or "." in first or ":" in first or first != first.lower()):
        first, rest = HUB, text
    elif first == f"index.{HUB}":
        first = HUB
    return first, rest if first != HUB or "/" in rest else f"library/{rest}"


def _parsed(complete: str, text: str) -> ImageName:
    """The parts of the complete name; errors name the text that it was made of."""
    head, at, digest = complete.partition("@")
    colon = head.find(":", head.rfind("/") + 1)
    name, tag = (head, None) if colon < 0 else (head[:colon], head[colon + 1 :])
    first, slash, rest = name.partition("/")
    # No name is a path as a whole when its first component is a domain and the rest is no path.
    domain, path = (first, rest) if slash and re.fullmatch(_DOMAIN, first) else ("", name)
    if len(path) > _LONGEST_PATH:
        raise _not_a_name(text, f"its path is longer than {_LONGEST_PATH} characters")
    if not re.fullmatch(_PATH, path):
        lower = re.fullmatch(_PATH, path.lower()) is not None
        raise _not_a_name(text, "a repository name has no capitals" if lower else "it is no [domain/]path")
    if tag is not None and not re.fullmatch(_TAG, tag):
        raise _not_a_name(text, "a tag has 1 to 128 letters, digits, _, . and -, and begins with none of . and -")
    if at and (reason := _not_a_digest(digest)):
        raise _not_a_name(text, reason)
    return ImageName(domain, path, tag, digest if at else None)


def _not_a_digest(digest: str) -> str | None:
    """The reason why it is no digest, or None."""
    algorithm, _, digits = digest.partition(":")
    if not re.fullmatch(_DIGEST, digest):
        return "a digest is sha256: and 64 hexadecimal digits"
    if digest != digest.lower():
        return "a digest has no capitals"
    if algorithm not in _DIGITS:
        return f"its digest is none of {', '.join(_DIGITS)}"
    if len(digits) != _DIGITS[algorithm]:
        return f"a {algorithm} digest has {_DIGITS[algorithm]} hexadecimal digits, not {len(digits)}"
    return None


def _joined(domain: str, path: str, tag: str | None, digest: str | None) -> str:
    name = f"{domain}/{path}" if domain else path
    return f"{name}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"


def _not_a_name(text: str, reason: str) -> ValueError:
    shown = text if len(text) <= 400 else f"{text[:400]}..."
    return ValueError(f"{shown!r} is no image name: {reason}")
