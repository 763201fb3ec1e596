"""Settings of a desk process: defaults that run on a laptop, overridden by `BESTEX_*` variables and the CLI."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bestex.domain.errors import InvalidInput


def default_state_dir() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser() / "bestex"


def _paths(value: Any) -> Any:
    """A variable holds several paths as PATH does."""
    return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Every problem is reported at once, by `load`."""

    model_config = SettingsConfigDict(env_prefix="BESTEX_", extra="ignore", frozen=True)

    host: Annotated[str, Field(pattern=r"^(127\.\d+\.\d+\.\d+|localhost|::1)$")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080  # 0 = any free one
    state_dir: Path = Field(default_factory=default_state_dir)
    target: Annotated[str, Field(pattern="^(all|strategy|algorithm|monitoring|quality)$")] = "all"
    seed: Annotated[int, Field(ge=0)] = 20_261_121  # of the generated market
    speed: Annotated[float, Field(gt=0, le=1000)] = 20.0  # desk seconds per wall second
    instruments: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_paths)] = ()  # files, see `app/instruments.py`
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"


def load(**overrides: object) -> Settings:
    """Settings from the environment and the given overrides (None = not given).

    Raises:
        InvalidInput: naming every setting that is wrong, its value, and what would be right.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [
            InvalidInput(
                f"setting {item['loc'][0]} (BESTEX_{str(item['loc'][0]).upper()}) is {item['input']!r}: {item['msg']}",
                field=str(item["loc"][0]),
                value=item["input"],
                expected=item["msg"],
            )
            for item in error.errors()
        ]
        raise InvalidInput("; ".join(item.message for item in problems), errors=problems) from None
