"""The file of identities on disk: read again when it changes, written by `bestex keys`."""

import json
import os
import secrets
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
from pydantic import SecretStr

from bestex.api.identity import keys
from bestex.api.identity.authentication import Authentication
from bestex.api.identity.identities import Role
from bestex.api.identity.registry import Registry, read
from bestex.api.limiting import Limits
from bestex.app.clock import WallClock
from bestex.app.identity_settings import IdentitySettings
from bestex.domain.errors import BestexError, InvalidInput, NotFound
from bestex.domain.ids import checked_id
from bestex.domain.tenants import checked_tenant
from bestex.domain.time import to_iso

log = structlog.get_logger()
_LOOK_SECONDS: Final = 0.5  # a revocation is heard within this, and by open sockets within a second more


class IdentityFile:
    """The registry of a file. A change that cannot be read is told, and the registry before it stays in force."""

    def __init__(self, path: Path) -> None:
        """Raises InvalidInput if the file cannot be read, is not private, or is wrong."""
        self._path = path
        self._looked = 0.0
        self._seen = self._stamp()
        self._registry = load(path)

    def registry(self) -> Registry:
        """The newest registry."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            stamp = self._stamp()
            if stamp != self._seen:
                self._seen = stamp
                try:
                    self._registry = load(self._path)
                    log.info("identities read again", keys=len(self._registry.keys))
                except BestexError as error:
                    log.error("identities cannot be read; those before stay in force", error=error.message)
        return self._registry

    def _stamp(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)


def load(path: Path) -> Registry:
    """The registry of a file. Raises InvalidInput if it cannot be read, others could, or it is wrong."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInput(
            f"identities_file {path} cannot be read: {reason}",
            field="identities_file",
            value=path,
            expected="a file that `bestex keys create` has written",
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidInput(
            f"identities_file {path} can be read or written by others",
            field="identities_file",
            value=path,
            expected="a file of mode 600",
        )
    return read(text, name=path.name)


def authentication(settings: IdentitySettings) -> Authentication | None:
    """What knows the identities; None where none are required, or the gateway does. Raises as `load`."""
    if settings.identities == "none" or is_behind_a_gateway(settings):
        return None
    assert settings.identities_file is not None, "checked with the settings"
    return Authentication(IdentityFile(settings.identities_file).registry, WallClock())


def is_behind_a_gateway(settings: IdentitySettings) -> bool:
    """Whether this process believes the gateway and nobody else."""
    return settings.internal_key is not None and getattr(settings, "target", "all") != "gateway"


def limits(settings: IdentitySettings, cache_url: SecretStr | None) -> Limits | None:
    """The rate limits; None where no identities are required, or the gateway counts. In Redis where there is one."""
    if settings.identities == "none" or is_behind_a_gateway(settings):
        return None
    return Limits(
        per_key=settings.rate_per_key,
        per_account=settings.rate_per_account,
        urgent=settings.rate_urgent,
        redis_url=None if cache_url is None else cache_url.get_secret_value(),
    )


def create_key(
    path: Path, *, subject: str, tenant: str, roles: Sequence[str], account: str | None, expires_ns: int | None
) -> tuple[str, str]:
    """Add a key to the file; returns its id and its text, which nobody can see again.

    Raises:
        InvalidInput: for a wrong name or role, or a file that is wrong already.
    """
    wrong = [role for role in roles if role not in set(Role)]
    if wrong or not roles:
        raise InvalidInput(
            f"roles {', '.join(roles) or '(none)'}: unknown {', '.join(wrong) or 'none given'}",
            field="roles",
            value=", ".join(roles),
            expected="one or more of " + ", ".join(Role),
        )
    key_id = secrets.token_hex(4)
    text = keys.key_text(key_id, secrets.token_urlsafe(32))
    lines = [
        "[[keys]]",
        f'id = "{key_id}"',
        f'sha256 = "{keys.digest(text)}"',
        f'subject = "{checked_id(subject, field="subject")}"',
        f'tenant = "{checked_tenant(tenant)}"',
        f"roles = {json.dumps(list(roles))}",
    ]
    if account is not None:
        lines.append(f'account = "{checked_id(account, field="account")}"')
    if expires_ns is not None:
        lines.append(f'expires = "{to_iso(expires_ns)}"')
    _append(path, lines)
    return key_id, text


def revoke_key(path: Path, key_id: str) -> None:
    """The key is refused from now on; what the file says of it stays. Raises NotFound."""
    if key_id not in load(path).keys:
        raise NotFound(f"{path} has no key {key_id}", field="key", value=key_id)
    _append(path, ["[[revocations]]", f'key = "{key_id}"', f'at = "{to_iso(WallClock().now_ns())}"'])


def _append(path: Path, lines: Sequence[str]) -> None:
    """The whole file is written beside and put in its place, so that nobody reads half of it."""
    before = ""
    if path.exists():
        load(path)
        before = path.read_text(encoding="utf-8").rstrip() + "\n\n"
    after = before + "\n".join(lines) + "\n"
    read(after, name=path.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(after)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
