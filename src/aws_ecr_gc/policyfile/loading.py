"""From a path to a policy file that is understood, through every file that it extends."""

from pathlib import Path

import msgspec

from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.policyfile.chain import Document, PolicyFile
from aws_ecr_gc.policyfile.meaning import document_mistakes
from aws_ecr_gc.policyfile.mistakes import Mistake, PolicyMistakes
from aws_ecr_gc.policyfile.nodes import Node, plain
from aws_ecr_gc.policyfile.reading import content_of, tree_of
from aws_ecr_gc.policyfile.shape import DOCUMENT, DocumentPart
from aws_ecr_gc.policyfile.spots import Spot
from aws_ecr_gc.policyfile.walker import Walk


def load(path: Path) -> PolicyFile:
    """Read a policy file and those it extends. Raises Misuse if it can't be read, PolicyMistakes if it is not right."""
    return parse(content_of(path), path)


def parse(text: bytes, name: Path) -> PolicyFile:
    """Read a policy file's content as if it stood in a file of this name. Raises what `load` raises."""
    files = [_File(name, text)]
    while (extends := files[-1].extends) is not None:
        try:
            files.append(_base(files, files[-1].path.parent / extends.text))
        except Misuse as error:
            files[-1].mistakes.append(extends.mistake(str(error)))
            break
    if extends is None and not any(file.may_have_policies for file in files):
        mend = "write policies:, or extends: with the name of a file that has them"
        files[0].mistakes.append(files[0].top.mistake("has no policies", mend))
    mistakes = [mistake for file in files for mistake in sorted(file.mistakes, key=_order)]
    if mistakes:
        raise PolicyMistakes(mistakes)
    made = PolicyFile([Document(file.path, file.content, file.part) for file in files])
    wrong = next((file.top.at("in_use") for file in files if file.top.at("in_use") is not None), None)
    if made.in_use is not None and wrong is not None and (missing := made.in_use.missing):
        raise PolicyMistakes([wrong.mistake(*missing)])
    return made


class _File:
    """One file, and what is wrong with it. Raises Misuse for what is not UTF-8."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.content = content
        root, self.mistakes = tree_of(content, path)
        if root is None:
            self.top = Spot(Node(self.mistakes[0].place), (), {()})
            return
        walk = Walk(root, DOCUMENT)
        self.top = Spot(root, (), walk.unsound)
        self.mistakes += [*walk.mistakes, *document_mistakes(self.top)]

    @property
    def extends(self) -> Spot | None:
        """The file that it extends, as stated."""
        return self.top.sound("extends")

    @property
    def may_have_policies(self) -> bool:
        """Whether it has policies, or was not understood so far that one could tell."""
        names_another = "extends" in self.top.keys and self.extends is None
        return self.top.node.members is None or "policies" in self.top.keys or names_another

    @property
    def part(self) -> DocumentPart:
        """What it says; to be asked for only where nothing is wrong."""
        return msgspec.convert(plain(self.top.node), DocumentPart)


def _base(files: list[_File], path: Path) -> _File:
    content = content_of(path)
    if path.resolve() in [file.path.resolve() for file in files]:
        circle = " extends ".join(str(each) for each in (*(file.path for file in files), path))
        raise Misuse(f"this is a circle: {circle}; leave one of them out")
    return _File(path, content)


def _order(mistake: Mistake) -> tuple[int, int]:
    return mistake.line, mistake.column
