"""An identity that the gateway has checked, signed for one request to one of the services behind it."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

import msgspec

from bestex.api.identity.identities import Identity, Role
from bestex.domain.errors import Unauthenticated
from bestex.domain.time import NS_PER_SECOND

HEADER: Final = "x-bestex-identity"
_SECONDS: Final = 10  # between signing and reading; clocks of one deployment differ by less
_BYTES_MAX: Final = 4_096


class _Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    subject: str
    tenant: str
    roles: tuple[Role, ...]
    credential: str
    by_token: bool
    account: str
    expires_ns: int | None
    method: str
    path: str
    address: str
    at_ns: int


@dataclass(frozen=True, kw_only=True)
class Introduced:
    """Whom the gateway speaks for, and from where it was asked."""

    identity: Identity
    address: str


def signed(identity: Identity, key: bytes, *, method: str, path: str, address: str, now_ns: int) -> str:
    """The header's value: good for this method and path, for ten seconds."""
    claims = _Claims(
        subject=identity.subject,
        tenant=identity.tenant,
        roles=tuple(sorted(identity.roles)),
        credential=identity.credential,
        by_token=identity.by_token,
        account=identity.account,
        expires_ns=identity.expires_ns,
        method=method,
        path=path,
        address=address,
        at_ns=now_ns,
    )
    body = base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode()
    return f"{body}.{_signature(body, key)}"


def read(text: str | None, key: bytes, *, method: str, path: str, now_ns: int) -> Introduced:
    """Raises Unauthenticated, always in the same words."""
    if text is None or len(text) > _BYTES_MAX or not text.isascii():
        raise Unauthenticated
    body, _, signature = text.partition(".")
    if not hmac.compare_digest(signature, _signature(body, key)):
        raise Unauthenticated
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body), type=_Claims)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise Unauthenticated from None
    is_fresh = abs(now_ns - claims.at_ns) <= _SECONDS * NS_PER_SECOND
    if (claims.method, claims.path) != (method, path) or not is_fresh:
        raise Unauthenticated
    identity = Identity(
        subject=claims.subject,
        tenant=claims.tenant,
        roles=frozenset(claims.roles),
        credential=claims.credential,
        by_token=claims.by_token,
        account=claims.account,
        expires_ns=claims.expires_ns,
    )
    return Introduced(identity=identity, address=claims.address)


def _signature(body: str, key: bytes) -> str:
    return hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
