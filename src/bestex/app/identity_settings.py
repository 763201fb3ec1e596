"""Settings of identities: who may reach the desk, and from where."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

_LOOPBACK = re.compile(r"127\.\d+\.\d+\.\d+|localhost|::1")


def _words(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class IdentitySettings(BaseModel):
    """Mixed into the settings of a process."""

    identities: Literal["none", "required"] = "none"  # none: whoever reaches loopback is `local`, and may do everything
    identities_file: Annotated[Path | None, Field(validate_default=True)] = (
        None  # see api/identity/registry.py; `bestex keys` writes it
    )
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
        if path is None and info.data.get("identities") == "required":
            raise ValueError("a file, where identities are required; `bestex keys create` writes one")
        return path
