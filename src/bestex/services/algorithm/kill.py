"""The kill switch: which orders may send nothing."""

from dataclasses import asdict, dataclass
from typing import Any

from bestex.domain.errors import Conflict, InvalidInput

SCOPES = ("all", "account", "instrument", "algorithm")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What of a parent order a kill can name."""

    account: str | None
    instrument: str
    algorithm: str | None


@dataclass(frozen=True, kw_only=True)
class Killed:
    """One scope that may send nothing, with who killed it (last), when and why."""

    scope: str
    scope_value: str | None
    actor: str
    reason: str
    time_ns: int


class KillSwitch:
    """Killed scopes. Killed means killed until re-armed by the same scope."""

    def __init__(self) -> None:
        self._killed: dict[tuple[str, str | None], Killed] = {}

    def kill(self, scope: str, value: str | None, *, actor: str, reason: str, time_ns: int) -> None:
        self._killed[_checked(scope, value)] = Killed(
            scope=scope, scope_value=value, actor=actor, reason=reason, time_ns=time_ns
        )

    def rearm(self, scope: str, value: str | None) -> None:
        """Raises Conflict if that scope is not killed."""
        key = _checked(scope, value)
        if key not in self._killed:
            killed = ", ".join(_named(*item) for item in sorted(self._killed, key=str)) or "nothing"
            raise Conflict(
                f"{_named(*key)} is not killed; killed now: {killed}", field="scope", value=scope, expected=killed
            )
        del self._killed[key]

    def covers(self, subject: Subject) -> str | None:
        """Why the order may send nothing, in words; None if it may."""
        for (scope, value), killed in self._killed.items():
            if matches(scope, value, subject):
                return f"killed ({_named(scope, value)}): {killed.reason} ({killed.actor})"
        return None

    def state(self) -> list[dict[str, Any]]:
        """What is killed, as rows keep it."""
        return [asdict(killed) for _, killed in sorted(self._killed.items(), key=lambda item: str(item[0]))]


def matches(scope: str, value: str | None, subject: Subject) -> bool:
    """Whether an order belongs to a scope."""
    return scope == "all" or value == getattr(subject, scope)


def _checked(scope: str, value: str | None) -> tuple[str, str | None]:
    if scope not in SCOPES:
        raise InvalidInput(
            f"scope {scope!r} is not known", field="scope", value=scope, expected="one of " + ", ".join(SCOPES)
        )
    if (scope == "all") != (value is None):
        raise InvalidInput(
            f"scope {scope} with scope_value {value!r}",
            field="scope_value",
            value=value,
            expected="none for `all`, a name for every other scope",
        )
    return scope, value


def _named(scope: str, value: str | None) -> str:
    return scope if value is None else f"{scope} {value}"
