"""Manifests kept on disk between runs. They never change under their digest, and reading one again counts as a pull."""

from pathlib import Path

from aws_ecr_gc.files import write_whole
from aws_ecr_gc.manifest import matches


class ManifestDirectory:
    """One file for each manifest, named by its digest.

    What does not match its digest counts as absent and is replaced when it is read again. A directory that can't be
    written costs further reads and nothing else: `trouble` then holds the reason.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "manifests"
        self.trouble: OSError | None = None

    def _path(self, digest: str) -> Path:
        algorithm, _, encoded = digest.partition(":")
        return self._directory / algorithm / encoded[:2] / encoded

    def get(self, digest: str) -> bytes | None:
        """The manifest, if it is here and whole."""
        try:
            manifest = self._path(digest).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.trouble = error
            return None
        return manifest if matches(digest, manifest) else None

    def put(self, digest: str, manifest: bytes) -> None:
        """Keep a manifest that was verified against its digest."""
        try:
            write_whole(self._path(digest), manifest)
        except OSError as error:
            self.trouble = error
