"""The identities that a desk knows, as their TOML file states them. Nothing is added to what the file says.

[[keys]]
id = "4f1c09aa"                          # public: the part of the key that finds it
sha256 = "..."                           # of the key's whole text
subject = "jane"
tenant = "default"
roles = ["trader"]
account = "equities"                     # optional; whom rate limits count together
expires = "2027-01-01T00:00:00Z"         # optional

[[revocations]]
key = "4f1c09aa"                         # or: token = "the jti of a token"

[tokens]
issuer = "https://id.example"
audience = "bestex"
type = "at+jwt"
[[tokens.keys]]
kid = "2026-11"
algorithm = "HS256"
secret = "..."                           # base64, 32 bytes or more; or public_key = "-----BEGIN PUBLIC KEY..."
"""

import base64
import binascii
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bestex.api.identity.identities import Identity, Role
from bestex.api.identity.keys import ApiKey
from bestex.api.identity.tokens import ALGORITHMS, TokenKey, TokenRules
from bestex.domain.errors import BestexError, InvalidInput
from bestex.domain.ids import checked_id
from bestex.domain.tenants import checked_tenant
from bestex.domain.time import from_iso

SECRET_BYTES_MIN: Final = 32
_DISTINCT_MIN: Final = 10  # of 32 random bytes, fewer different ones never happen
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KNOWN_WORDS = (b"secret", b"changeme", b"change-me", b"password", b"default", b"example", b"bestex")


@dataclass(frozen=True, kw_only=True)
class Registry:
    keys: Mapping[str, ApiKey] = field(default_factory=dict)  # by id
    tokens: TokenRules | None = None  # None: no token is taken


def read(text: str, *, name: str) -> Registry:
    """The registry of a file's text.

    Args:
        name: of the file, for errors.

    Raises:
        InvalidInput: naming every entry that is wrong; never what a secret is.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{name} is not TOML: {error}", field="identities_file", value=name) from None
    problems: list[InvalidInput] = []
    _known(content, {"keys", "revocations", "tokens"}, name, problems)
    revocations = content.get("revocations", [])
    revoked_keys = {str(item["key"]) for item in revocations if "key" in item}
    keys: dict[str, ApiKey] = {}
    for number, item in enumerate(content.get("keys", [])):
        place = f"{name}: keys[{number}]"
        try:
            key_id, key = _key(item, revoked_keys, place, problems)
            if key_id in keys:
                raise InvalidInput(f"key id {key_id} stands twice", field="id")
            keys[key_id] = key
        except (BestexError, KeyError, TypeError, ValueError) as error:
            problems.append(_problem(place, error))
    tokens = None
    if "tokens" in content:
        try:
            revoked = frozenset(str(item["token"]) for item in revocations if "token" in item)
            tokens = _tokens(content["tokens"], revoked, f"{name}: tokens", problems)
        except (BestexError, KeyError, TypeError, ValueError) as error:
            problems.append(_problem(f"{name}: tokens", error))
    if problems:
        raise InvalidInput("; ".join(item.message for item in problems), field="identities_file", errors=problems)
    return Registry(keys=keys, tokens=tokens)


def checked_secret(secret: bytes, *, name: str) -> bytes:
    """The secret itself, if it is long enough and looks like nobody's default.

    Raises:
        InvalidInput: without the secret.
    """
    weak = len(set(secret)) < _DISTINCT_MIN or any(word in secret.lower() for word in _KNOWN_WORDS)
    if len(secret) < SECRET_BYTES_MIN or weak:
        raise InvalidInput(
            f"{name} is too short or a default; the desk does not start with it",
            field=name,
            expected=f"{SECRET_BYTES_MIN} or more random bytes, e.g. of `openssl rand -base64 32`",
        )
    return secret


def decoded(text: str, *, name: str) -> bytes:
    """The bytes of a base64 text. Raises InvalidInput, without the text."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(f"{name} is not base64", field=name, expected="`openssl rand -base64 32`") from None


def _key(item: Any, revoked: set[str], place: str, problems: list[InvalidInput]) -> tuple[str, ApiKey]:
    _known(item, {"id", "sha256", "subject", "tenant", "roles", "account", "expires"}, place, problems)
    if not _DIGEST.fullmatch(item["sha256"]):
        raise InvalidInput("sha256 is not 64 hexadecimal digits", field="sha256")
    if not item["roles"]:
        raise InvalidInput("roles is empty", field="roles", expected="one or more of " + ", ".join(Role))
    key_id = checked_id(item["id"], field="id")
    tenant = checked_tenant(item["tenant"])
    subject = checked_id(item["subject"], field="subject")
    identity = Identity(
        subject=subject,
        tenant=tenant,
        roles=frozenset(Role(role) for role in item["roles"]),
        credential=key_id,
        account=f"{tenant}/{checked_id(item.get('account', subject), field='account')}",
        expires_ns=from_iso(item["expires"]) if "expires" in item else None,
    )
    return key_id, ApiKey(sha256=item["sha256"], identity=identity, is_revoked=key_id in revoked)


def _tokens(item: Any, revoked: frozenset[str], place: str, problems: list[InvalidInput]) -> TokenRules:
    _known(item, {"issuer", "audience", "type", "keys"}, place, problems)
    keys: dict[str, TokenKey] = {}
    for entry in item["keys"]:
        _known(entry, {"kid", "algorithm", "secret", "public_key"}, f"{place}.keys", problems)
        algorithm = entry["algorithm"]
        if algorithm not in ALGORITHMS:
            raise InvalidInput(
                f"algorithm {algorithm!r} is not taken", field="algorithm", expected=", ".join(sorted(ALGORITHMS))
            )
        if algorithm.startswith("HS"):
            secret = decoded(entry["secret"], name="tokens.keys.secret")
            material = checked_secret(secret, name="tokens.keys.secret")
        else:
            material = entry["public_key"].encode()
            _usable(algorithm, material)
        keys[entry["kid"]] = TokenKey(algorithm=algorithm, material=material)
    return TokenRules(issuer=item["issuer"], audience=item["audience"], kind=item["type"], keys=keys, revoked=revoked)


def _usable(algorithm: str, material: bytes) -> None:
    import jwt

    try:
        jwt.get_algorithm_by_name(algorithm).prepare_key(material)
    except (NotImplementedError, jwt.PyJWTError, ValueError, TypeError) as error:
        raise InvalidInput(
            f"public_key cannot be used with {algorithm}: {error}; asymmetric keys need the package cryptography",
            field="public_key",
        ) from None


def _known(item: Any, names: set[str], place: str, problems: list[InvalidInput]) -> None:
    expected = "one of " + ", ".join(sorted(names))
    problems.extend(
        InvalidInput(f"{place} has no field {name!r}", field=name, expected=expected)
        for name in sorted(set(item) - names)
    )


def _problem(place: str, error: Exception) -> InvalidInput:
    if isinstance(error, BestexError):
        return InvalidInput(f"{place}: {error.message}", field=error.field, expected=error.expected)
    reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
    return InvalidInput(f"{place}: {reason}", field="identities_file")
