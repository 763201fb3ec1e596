"""Settings of identities: who may reach the desk, and from where."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from bestex.api.identity.registry import checked_secret, decoded
from bestex.domain.errors import InvalidInput

_LOOPBACK = re.compile(r"127\.\d+\.\d+\.\d+|localhost|::1")


def _words(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _table(value: Any) -> Any:
    """A variable holds a table as `market=http://127.0.0.1:8081,strategy=http://...`."""
    if not isinstance(value, str):
        return value
    return {name.strip(): url.strip() for name, _, url in (part.partition("=") for part in value.split(",") if part)}


class IdentitySettings(BaseModel):
    """Mixed into the settings of a process."""

    identities: Literal["none", "required"] = "none"  # none: whoever reaches loopback is `local`, and may do everything
    internal_key: SecretStr | None = None  # base64 of 32 random bytes, shared by the gateway and what is behind it
    identities_file: Annotated[Path | None, Field(validate_default=True)] = None  # api/identity/registry.py
    upstreams: Annotated[dict[str, str], NoDecode, BeforeValidator(_table)] = {}  # of the gateway: target -> http://...
    allowed_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = ()  # https://desk.example, ...
    rate_per_key: Annotated[int, Field(ge=1, le=100_000)] = 100  # requests a second
    rate_per_account: Annotated[int, Field(ge=1, le=100_000)] = 300  # of all its keys together
    rate_urgent: Annotated[int, Field(ge=1, le=100_000)] = 50  # cancels, pauses and kills a second, beside the others

    @field_validator("host", mode="after", check_fields=False)
    @classmethod
    def _is_loopback_unless_guarded(cls, host: str, info: ValidationInfo) -> str:
        if info.data.get("identities") != "required" and not _LOOPBACK.fullmatch(host):
            raise ValueError(
                "a loopback address, e.g. 127.0.0.1; any other needs identities (BESTEX_IDENTITIES) = required"
            )
        return host

    @field_validator("identities_file", mode="after")
    @classmethod
    def _is_given_when_required(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        is_needed = info.data.get("identities") == "required" and info.data.get("internal_key") is None
        if path is None and is_needed:
            raise ValueError("a file, where identities are required; `bestex keys create` writes one")
        return path

    @field_validator("internal_key", mode="after")
    @classmethod
    def _is_no_default(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            try:
                checked_secret(decoded(key.get_secret_value(), name="internal_key"), name="internal_key")
            except InvalidInput as error:
                raise ValueError(f"{error.message}; {error.expected}") from None
        return key

    @property
    def internal_secret(self) -> bytes | None:
        """The key's bytes."""
        key = self.internal_key
        return None if key is None else decoded(key.get_secret_value(), name="internal_key")
