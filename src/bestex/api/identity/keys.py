"""API keys: shown once, kept as a digest."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from bestex.api.identity.identities import Identity

PREFIX: Final = "bx"
_UNKNOWN: Final = hashlib.sha256(b"no such key").hexdigest()


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """What is kept of a key: `sha256` of its whole text, hexadecimal."""

    sha256: str
    identity: Identity
    is_revoked: bool


def key_text(key_id: str, secret: str) -> str:
    """What the client keeps. The id in it only finds the digest."""
    return f"{PREFIX}_{key_id}_{secret}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def key_id_of(text: str) -> str | None:
    """The id in a key's text; None if it is no key."""
    parts = text.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == PREFIX and parts[1] and parts[2] else None


def is_of(key: ApiKey | None, text: str) -> bool:
    """Whether the text is that key. An unknown key costs the same comparison."""
    same = hmac.compare_digest(digest(text), _UNKNOWN if key is None else key.sha256)
    return same and key is not None
