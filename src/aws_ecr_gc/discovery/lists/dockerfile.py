"""Dockerfiles: the images that a build begins with or copies from.

The grammar is BuildKit's (docs.docker.com/reference/dockerfile). An ARG counts with its default: what a build is given
besides is not known here.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from aws_ecr_gc.discovery.lists.mention import Mention, may_be_private, quoted, refusal
from aws_ecr_gc.discovery.lists.variables import substitute
from aws_ecr_gc.reference import mentions_unread, reference_of, references_in

_INSTRUCTIONS = re.compile(
    "ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME"
    "|WORKDIR"
)
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\]|["'\\])+""")
_HEREDOC = re.compile(r"[0-9]*<<(-?)([^<]+)")
_MEND = "write the image out, or give ARG a default before the first FROM"


class _Line(Struct, frozen=True):
    """An instruction on one line, its continuations joined; where it begins."""

    number: int
    instruction: str
    rest: str


def read(text: str, name: str) -> Iterator[Mention]:
    """The references in a Dockerfile."""
    return _Dockerfile(text, name).mentions()


class _Dockerfile:
    def __init__(self, text: str, name: str) -> None:
        self._lines = [line.removesuffix("\r") for line in text.split("\n")]
        self._name = name
        self._escape = "\\"
        self._values: dict[str, str] = {}
        self._stages: set[str] = set()
        self._froms = 0

    def mentions(self) -> Iterator[Mention]:
        """The images of all instructions, in order."""
        yield from self._directives()
        for line in self._instructions():
            yield from self._images(line)
        if not self._froms:
            raise refusal(self._name, f"line {len(self._lines)}", "a Dockerfile without FROM", "give the whole file")

    def _directives(self) -> Iterator[Mention]:
        """The image of `# syntax=`. Directives end with the first line that is none."""
        for number, line in enumerate(self._lines, 1):
            found = _DIRECTIVE.fullmatch(line.strip())
            if found is None or found[1].lower() not in ("syntax", "escape", "check"):
                return
            if found[1].lower() == "escape" and found[2] in ("\\", "`"):
                self._escape = found[2]
            elif found[1].lower() == "syntax":
                yield from self._image(found[2].split()[0], number)

    def _instructions(self) -> Iterator[_Line]:
        lines = iter(enumerate(self._lines, 1))
        for number, first in lines:
            if not first.strip() or first.lstrip().startswith("#"):
                continue
            word, rest = (*self._continued(first, lines).split(maxsplit=1), "", "")[:2]
            line = _Line(number, word.upper(), rest)
            if _INSTRUCTIONS.fullmatch(line.instruction) is None:
                raise self._refusal(number, f"{quoted(word)} is no instruction of a Dockerfile", "give the whole file")
            self._skip_heredocs(line, lines)
            yield line

    def _continued(self, line: str, lines: Iterator[tuple[int, str]]) -> str:
        """A line with those that it goes on in; comments and blank lines among these say nothing."""
        made = []
        while (found := re.search(rf"{re.escape(self._escape)}[ \t]*\Z", line)) is not None:
            made.append(line[: found.start()])
            line = next((each for _, each in lines if each.strip() and not each.lstrip().startswith("#")), "")
        return "".join([*made, line])

    def _skip_heredocs(self, line: _Line, lines: Iterator[tuple[int, str]]) -> None:
        if line.instruction not in ("RUN", "COPY", "ADD"):
            return
        for word in _WORD.findall(line.rest):
            found = _HEREDOC.fullmatch(word)
            if found is None:
                continue
            end = found[2].strip("\"'")
            if not any((each.lstrip("\t") if found[1] else each) == end for _, each in lines):
                raise self._refusal(line.number, f"the here-document {quoted(end)} has no end", "give the whole file")

    def _images(self, line: _Line) -> Iterator[Mention]:
        words = _WORD.findall(line.rest)
        if line.instruction == "ONBUILD" and words:
            rest = line.rest[len(words[0]) :].strip()
            yield from self._images(_Line(line.number, words[0].upper(), rest))
        elif line.instruction == "ARG":
            self._arguments(words)
        elif line.instruction == "FROM":
            yield from self._from(words, line.number)
        elif line.instruction in ("COPY", "ADD", "RUN"):
            for image in _sources(words):
                yield from self._source(image, line.number)

    def _arguments(self, words: list[str]) -> None:
        """Defaults before the first FROM; those of a stage are known only in it, where no image is named by them."""
        for word in words if not self._froms else ():
            name, equals, value = word.partition("=")
            made = substitute(_unquoted(value), self._values, escape=self._escape)
            if equals and made.missing is None:
                self._values[name] = made.text
            else:
                self._values.pop(name, None)

    def _from(self, words: list[str], number: int) -> Iterator[Mention]:
        self._froms += 1
        rest = [word for word in words if not word.startswith("--")]
        if len(rest) not in (1, 3) or (len(rest) == 3 and rest[1].upper() != "AS"):
            raise self._refusal(number, "FROM takes an image, or an image AS a name", "give the whole file")
        yield from self._source(rest[0], number, numbers=False)
        if len(rest) == 3:
            self._stages.add(rest[2].lower())

    def _source(self, word: str, number: int, *, numbers: bool = True) -> Iterator[Mention]:
        """What FROM or `from=` names: an image, unless it is a stage, its number, or nothing."""
        text = _unquoted(word)
        made = substitute(text, self._values, escape=self._escape)
        if made.missing is not None:
            if may_be_private(made.text):
                reason = f"the ARG {quoted(made.missing)[1:-1]} in {quoted(text)} has no value"
                raise self._refusal(number, reason, _MEND)
            return
        image = made.text.strip()
        if image == "scratch" or image.lower() in self._stages or (numbers and image.isdecimal()):
            return
        yield from self._image(image, number)

    def _image(self, image: str, number: int) -> Iterator[Mention]:
        workload = f"{self._name}:{number}"
        try:
            reference = reference_of(image)
        except ValueError as error:
            raise self._refusal(number, str(error), _MEND) from error
        if reference is not None:
            yield Mention(reference, workload)
        elif mentions_unread(image):
            raise self._refusal(number, f"{quoted(image)} names an ECR registry, but no image", _MEND)
        else:
            yield from (Mention(each, workload) for each in references_in(image))

    def _refusal(self, number: int, reason: str, mend: str) -> Exception:
        return refusal(self._name, f"line {number}", reason, mend)


def _sources(words: list[str]) -> Iterator[str]:
    """What the flags of COPY, ADD and RUN copy or mount from."""
    for word in words:
        flag, _, value = word.partition("=")
        if not flag.startswith("--"):
            return
        if flag.lower() == "--from":
            yield value
        elif flag.lower() == "--mount":
            for field in _unquoted(value).split(","):
                key, _, source = field.partition("=")
                if key.strip().lower() == "from":
                    yield source


def _unquoted(word: str) -> str:
    """A word without the quotes around it or parts of it."""
    return re.sub(r"\"((?:\\.|[^\"\\])*)\"|'([^']*)'", lambda found: found[1] or found[2] or "", word)
