"""Settings of a desk process: defaults that run on a laptop, overridden by one TOML file, `BESTEX_*` and the CLI."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bestex.app.identity_settings import IdentitySettings
from bestex.domain.errors import InvalidInput

TARGETS = ("all", "market", "strategy", "algorithm", "monitoring", "quality", "gateway", "dashboard")
SEPARATE = ("market", "strategy", "algorithm", "monitoring", "quality")


def default_state_dir() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser() / "bestex"


def _paths(value: Any) -> Any:
    """A variable holds several paths as PATH does."""
    return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value


class Settings(IdentitySettings, BaseSettings):
    """Every problem is reported at once, by `load`."""

    model_config = SettingsConfigDict(env_prefix="BESTEX_", extra="ignore", frozen=True)

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\-]{1,253}$")] = "127.0.0.1"  # loopback unless identities
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080  # 0 = any free one
    state_dir: Path = Field(default_factory=default_state_dir)
    target: Annotated[str, Field(pattern="^(all|market|strategy|algorithm|monitoring|quality|gateway|dashboard)$")] = (
        "all"
    )
    free_space_mb: Annotated[int, Field(ge=0)] = 256  # on the disk of the state directory; with less it does not start
    seed: Annotated[int, Field(ge=0)] = 20_261_121  # of the generated market
    speed: Annotated[float, Field(gt=0, le=1000)] = 20.0  # desk seconds per wall second
    instruments: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_paths)] = ()  # files, see `app/instruments.py`
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"

    # Services in processes of their own.
    store_url: SecretStr | None = None  # postgresql://USER:PASSWORD@HOST:PORT/NAME
    bus_url: str | None = None  # pulsar://HOST:PORT
    bus_admin_url: str | None = None  # http://HOST:PORT of the broker's administration
    bus_namespace: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")] = "public/bestex"
    otlp_endpoint: str | None = None  # http://HOST:PORT/v1/traces of a collector; none = no spans to it
    trace_file: Path | None = None  # spans are appended here, one JSON object a line; see `bestex trace`
    cache_url: SecretStr | None = None  # redis://...; none = in memory
    shards: Annotated[int, Field(ge=1, le=64)] = 4  # of every topic; the same in every process, for good
    instance: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")] | None = None  # name of this process
    lease_seconds: Annotated[float, Field(ge=0.5, le=60)] = 3.0  # a silent holder's orders go to another after this
    market_lease_seconds: Annotated[float, Field(ge=0.5, le=600)] = 10.0  # nobody takes a market over; it may be slow
    start_ns: Annotated[int, Field(ge=0)] | None = None  # of a fresh market; none = by the wall clock
    event_time: bool = False  # the market waits for everybody instead of the wall clock

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.target in SEPARATE:
            missing = [name for name in ("store_url", "bus_url", "bus_admin_url") if getattr(self, name) is None]
            if missing:
                names = ", ".join(f"{name} (BESTEX_{name.upper()})" for name in missing)
                raise ValueError(f"target {self.target} needs {names}; `make services` prints them for development")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings)


def load(config: Path | None = None, **overrides: object) -> Settings:
    """Settings from the defaults, the file, the environment and the given overrides (None = not given), in that order.

    Args:
        config: TOML file; None takes the one that BESTEX_CONFIG names, if any.

    Raises:
        InvalidInput: naming every setting that is wrong, its value, and what would be right.
    """
    if config is None and (named := os.environ.get("BESTEX_CONFIG")):
        config = Path(named)
    given = {} if config is None else _file(config)
    in_environment = {name.lower().removeprefix("bestex_") for name in os.environ if name.upper().startswith("BESTEX_")}
    given = {name: value for name, value in given.items() if name not in in_environment}
    given |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = [_problem(item) for item in error.errors()]
        raise InvalidInput("; ".join(item.message for item in problems), errors=problems) from None


def _problem(item: Any) -> InvalidInput:
    if not item["loc"]:
        return InvalidInput(item["msg"].removeprefix("Value error, "), field="target", expected="the settings named")
    name = str(item["loc"][0])
    value = "(not shown)" if name.endswith(("_url", "_key")) else item["input"]
    return InvalidInput(
        f"setting {name} (BESTEX_{name.upper()}) is {value!r}: {item['msg']}",
        field=name,
        value=value,
        expected=item["msg"],
    )


def _file(path: Path) -> dict[str, Any]:
    """The settings of a file: names as here, or in tables, e.g. `[store] url = ...` for `store_url`.

    Raises:
        InvalidInput: if it cannot be read, or holds a name that is no setting.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput(
            f"{path} cannot be read: {reason}", field="config", value=path, expected="a readable TOML file"
        ) from None
    flat: dict[str, Any] = {}
    for name, value in content.items():
        is_table = isinstance(value, dict) and name != "upstreams"  # which is a table itself
        flat |= {f"{name}_{key}": item for key, item in value.items()} if is_table else {name: value}
    unknown = sorted(set(flat) - set(Settings.model_fields))
    if unknown:
        problems = [
            InvalidInput(
                f"{path}: there is no setting {name!r}",
                field=name,
                value=flat[name],
                expected="one of " + ", ".join(sorted(Settings.model_fields)),
            )
            for name in unknown
        ]
        raise InvalidInput("; ".join(item.message for item in problems), errors=problems)
    return flat
