"""Content that the stand-in makes up, by name and size: the same ones give the same bytes, and their true digest.

A layer is zeros but for its end, which is the hash of its name. So its digest costs next to nothing, however long it
is, and its bytes are made when somebody downloads them; none are kept.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from threading import Lock
from typing import Any

import msgspec

MOST = 512 << 20
"""What is larger has a digest that is made up as well, and no content."""
CONFIG_SIZE = 1500

_END = 32
_STEP = 1 << 20
_CHUNK = bytes(1 << 16)


class _Zeros:
    """The SHA-256 of so many zeros, from where another one is known already."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lengths = [0]
        self._states: list[Any] = [hashlib.sha256()]

    def hashed(self, length: int) -> Any:
        """The state behind them, to go on with."""
        with self._lock:
            place = bisect_right(self._lengths, length) - 1
            known, state = self._lengths[place], self._states[place].copy()
            while known < length:
                step = min(_STEP - known % _STEP, length - known)
                state.update(bytes(step))
                known += step
                place += 1
                self._lengths.insert(place, known)
                self._states.insert(place, state.copy())
            return state


_zeros = _Zeros()


def layer_digest(name: str, size: int) -> str:
    """The digest of a layer."""
    if size > MOST:
        return "sha256:" + hashlib.sha256(f"layer {name} {size}".encode()).hexdigest()
    state = _zeros.hashed(max(0, size - _END))
    state.update(_end(name)[:size])
    return f"sha256:{state.hexdigest()}"


def layer_content(name: str, size: int) -> Iterator[bytes] | None:
    """The bytes of a layer; None for one that is too large to have any."""
    return None if size > MOST else _chunks(name, size)


def _chunks(name: str, size: int) -> Iterator[bytes]:
    left = max(0, size - _END)
    while left:
        chunk = _CHUNK[:left]
        yield chunk
        left -= len(chunk)
    yield _end(name)[:size]


def _end(name: str) -> bytes:
    return hashlib.sha256(f"layer {name}".encode()).digest()


def config_content(name: str) -> bytes:
    """The config of an image, which tells its name in a label; padded to `CONFIG_SIZE`."""
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"dev.aws-ecr-gc.sandbox.name": name}},
        "rootfs": {"type": "layers", "diff_ids": []},
        "history": [],
    }
    return msgspec.json.encode(config).ljust(CONFIG_SIZE)
