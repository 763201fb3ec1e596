"""Copies as bytes: each says what it is a copy of, of which version, and until when it is fresh."""

import hashlib
import struct
from dataclasses import dataclass

_HEAD = struct.Struct("<16sdH")  # digest of the rest and of the key, fresh until (wall seconds), length of the version


@dataclass(frozen=True)
class Copy:
    fresh_until: float
    version: str
    body: bytes


def packed(key: str, copy: Copy) -> bytes:
    version = copy.version.encode()
    rest = struct.pack("<dH", copy.fresh_until, len(version)) + version + copy.body
    return _digest(key, rest) + rest


def unpacked(key: str, value: object) -> Copy | None:
    """None if it is no whole copy of this key: cut, changed, or another key's."""
    if not isinstance(value, bytes) or len(value) < _HEAD.size:
        return None
    digest, fresh_until, length = _HEAD.unpack_from(value)
    if digest != _digest(key, value[16:]):
        return None
    end = _HEAD.size + length
    return Copy(fresh_until, value[_HEAD.size : end].decode(), value[end:])


def _digest(key: str, rest: bytes) -> bytes:
    return hashlib.blake2b(key.encode() + b"\0" + rest, digest_size=16).digest()
