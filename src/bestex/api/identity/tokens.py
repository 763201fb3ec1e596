"""Signed tokens (JWT, RFC 7519, 8725): everything that a verifier must decide is decided here, nothing by the token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from bestex.api.identity.identities import Identity, Role
from bestex.domain.errors import InvalidInput, Unauthenticated
from bestex.domain.ids import checked_id
from bestex.domain.tenants import checked_tenant
from bestex.domain.time import NS_PER_SECOND

ALGORITHMS: Final = frozenset({"HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA"})
_HEADER: Final = frozenset({"alg", "typ", "kid"})  # no jku, jwk, x5u, crit: a token brings no key and no rules
_BYTES_MAX: Final = 8 * 1024
_REQUIRED: Final = ("exp", "iat", "nbf", "sub", "iss", "aud", "jti", "tenant", "roles")


@dataclass(frozen=True, kw_only=True)
class TokenKey:
    """One pinned key. `material` is the shared secret, or a public key as PEM."""

    algorithm: str
    material: bytes


@dataclass(frozen=True, kw_only=True)
class TokenRules:
    """What every token must be."""

    issuer: str
    audience: str
    kind: str  # `typ` of its header, so that a token made for something else is none
    keys: Mapping[str, TokenKey]  # by kid, which is only an index into them
    revoked: frozenset[str]  # jti


def identity_of(token: str, rules: TokenRules, now_ns: int) -> Identity:
    """Whom a token stands for.

    Args:
        now_ns: UTC.

    Raises:
        Unauthenticated: always in the same words.
    """
    try:
        claims = _claims(token, rules)
        now = now_ns / NS_PER_SECOND
        if not (_time(claims["nbf"]) <= now and _time(claims["iat"]) <= now < _time(claims["exp"])):
            raise Unauthenticated
        token_id = checked_id(claims["jti"], field="jti")
        if token_id in rules.revoked:
            raise Unauthenticated
        tenant = checked_tenant(claims["tenant"])
        subject = checked_id(claims["sub"], field="sub")
        return Identity(
            subject=subject,
            tenant=tenant,
            roles=frozenset(Role(role) for role in claims["roles"]),
            credential=token_id,
            by_token=True,
            account=f"{tenant}/{checked_id(claims.get('account', subject), field='account')}",
            expires_ns=int(_time(claims["exp"]) * NS_PER_SECOND),
        )
    except (jwt.PyJWTError, InvalidInput, KeyError, TypeError, ValueError):
        raise Unauthenticated from None


def _claims(token: str, rules: TokenRules) -> dict[str, Any]:
    if len(token) > _BYTES_MAX:
        raise Unauthenticated
    header = jwt.get_unverified_header(token)
    key = rules.keys.get(header["kid"]) if isinstance(header.get("kid"), str) else None
    if key is None or not header.keys() <= _HEADER or header.get("typ") != rules.kind or header["alg"] != key.algorithm:
        raise Unauthenticated
    claims: dict[str, Any] = jwt.decode(
        token,
        key.material,
        algorithms=[key.algorithm],
        audience=rules.audience,
        issuer=rules.issuer,
        # Times are compared with the given clock.
        options={"require": list(_REQUIRED), "verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    return claims


def _time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unauthenticated
    return float(value)
