"""Reading and writing manifests: Docker schema 2 and OCI images, indexes and artifacts.

Sources: the OCI image specification 1.1 (manifest.md, image-index.md) and Docker's image manifest version 2, schema 2.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from aws_ecr_gc.sandbox import blobs

DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
ORAS_ARTIFACT = "application/vnd.cncf.oras.artifact.manifest.v1+json"

INDEX_TYPES = frozenset({DOCKER_INDEX, OCI_INDEX})
ARTIFACT_TYPES = frozenset({OCI_ARTIFACT, ORAS_ARTIFACT})
KNOWN_TYPES = INDEX_TYPES | ARTIFACT_TYPES | {DOCKER_IMAGE, OCI_IMAGE}

EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"
NAME_ANNOTATION = "dev.aws-ecr-gc.sandbox.name"


class Platform(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What an index says a child runs on."""

    os: str = ""
    architecture: str = ""
    variant: str | None = None


class Descriptor(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A reference from a manifest to a blob or to another manifest; `size` in bytes."""

    media_type: str = ""
    digest: str = ""
    size: int = 0
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    @property
    def is_foreign(self) -> bool:
        """Whether it lies elsewhere, as the base layers of Windows do: a registry need not have it."""
        return ".foreign." in self.media_type or ".nondistributable." in self.media_type


class Contents(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a manifest holds, whichever its kind."""

    schema_version: int = 0
    media_type: str | None = None
    artifact_type: str | None = None
    config: Descriptor | None = None
    layers: list[Descriptor] = []
    blobs: list[Descriptor] = []
    manifests: list[Descriptor] = []
    subject: Descriptor | None = None
    annotations: dict[str, str] = {}

    @property
    def blob_descriptors(self) -> list[Descriptor]:
        """Every blob that must have been uploaded for this manifest."""
        return [*([self.config] if self.config else []), *self.layers, *self.blobs]

    @property
    def referrer_type(self) -> str | None:
        """The artifact type under which the referrers API lists it: its own, or that of its config."""
        return self.artifact_type or (self.config.media_type if self.config else None)

    @property
    def artifact_media_type(self) -> str | None:
        """The media type of what is in it: its config's, or the artifact type where the config is none."""
        if self.config is None or self.config.media_type == EMPTY_CONFIG:
            return self.artifact_type
        return self.config.media_type


_decoder = msgspec.json.Decoder(Contents)


def digest_of(content: bytes) -> str:
    """The digest that addresses these bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def read(manifest: bytes, media_type: str) -> Contents:
    """The contents of a manifest; empty for a media type that this module does not know.

    Raises msgspec.DecodeError when a manifest of a known type is not JSON or not of its form.
    """
    return _decoder.decode(manifest) if media_type in KNOWN_TYPES else Contents()


def stated_media_type(manifest: bytes) -> str | None:
    """The media type that a manifest states itself. Raises msgspec.DecodeError when it is not a JSON object."""
    stated = msgspec.json.decode(manifest, type=dict[str, Any]).get("mediaType")
    return stated if isinstance(stated, str) else None


def layer(name: str, size: int, media_type: str) -> Descriptor:
    """A made-up layer for a manifest of `media_type`: the same name and size give the same content (`blobs`)."""
    return Descriptor(
        _LAYER_TYPES.get(media_type, _OCI_LAYER),
        blobs.layer_digest(name, size),
        size,
        annotations={NAME_ANNOTATION: name},
    )


def write(
    name: str,
    media_type: str,
    *,
    layers: Sequence[Descriptor] = (),
    children: Sequence[Descriptor] = (),
    artifact_type: str | None = None,
    subject: Descriptor | None = None,
) -> bytes:
    """A manifest: an index if it has children, otherwise an image or an artifact. Another name gives another digest."""
    contents = Contents(
        schema_version=2,
        media_type=media_type,
        artifact_type=artifact_type,
        manifests=list(children),
        subject=subject,
        annotations={NAME_ANNOTATION: name},
    )
    if children or media_type in INDEX_TYPES:
        return msgspec.json.encode(contents)
    if media_type in ARTIFACT_TYPES:
        return msgspec.json.encode(msgspec.structs.replace(contents, blobs=list(layers)))
    is_artifact = artifact_type is not None or subject is not None
    config = _NO_CONFIG if is_artifact else _config(name, media_type)
    return msgspec.json.encode(msgspec.structs.replace(contents, config=config, layers=list(layers)))


_OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_LAYER_TYPES = {DOCKER_IMAGE: "application/vnd.docker.image.rootfs.diff.tar.gzip"}
_CONFIG_TYPES = {DOCKER_IMAGE: "application/vnd.docker.container.image.v1+json"}
_NO_CONFIG = Descriptor(EMPTY_CONFIG, digest_of(b"{}"), 2)


def _config(name: str, media_type: str) -> Descriptor:
    config_type = _CONFIG_TYPES.get(media_type, "application/vnd.oci.image.config.v1+json")
    content = blobs.config_content(name)
    return Descriptor(config_type, digest_of(content), len(content), annotations={NAME_ANNOTATION: name})
