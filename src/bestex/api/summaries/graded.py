"""The graded executions that every summary is made from, and their readings."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from bestex.api.access import Access
from bestex.domain.errors import InvalidInput
from bestex.domain.time import to_iso
from bestex.messages.records import QualityResultRow

ROWS_MAX: Final = 2_000  # a summary reads the latest so many


def checked_dates(start_date: date | None, end_date: date | None) -> None:
    """Raises InvalidInput where the end is before the start."""
    if start_date is not None and end_date is not None and end_date < start_date:
        raise InvalidInput(
            "end_date is before start_date", field="end_date", value=end_date, expected="start_date or later"
        )


async def graded(
    access: Access,
    *,
    algorithm: str | None = None,
    instrument_id: str | None = None,
    start_date: date | None = None,
    end_date: date | None = None,
    limit: int = ROWS_MAX,
) -> list[QualityResultRow]:
    """The latest graded executions of UTC dates start..end, oldest first; None leaves that side open."""
    checked_dates(start_date, end_date)
    given = {"algorithm": algorithm, "instrument_id": instrument_id}
    where: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    found = await access.store.find(QualityResultRow, where=where, order_by="-created_at_ns", limit=ROWS_MAX)
    first, last = start_date or date.min, end_date or date.max
    rows = [row for row in found.rows if first <= date.fromisoformat(to_iso(row.created_at_ns)[:10]) <= last]
    return rows[:limit][::-1]


def reading(row: QualityResultRow, metric: str) -> float | None:
    """A metric's value in its own unit; None where it could not be computed."""
    found = row.analysis["metric_breakdown"].get(metric)
    return None if found is None or found["metric_value"] is None else float(found["metric_value"])


def readings(rows: Sequence[QualityResultRow], metric: str) -> list[float]:
    """The values that there are, in the order of the rows."""
    return [value for row in rows if (value := reading(row, metric)) is not None]


def excess_cost_bps(row: QualityResultRow) -> float | None:
    """Realised minus expected cost, bps of notional: positive = dearer than its pre-trade estimate."""
    found = row.analysis["metric_breakdown"].get("COST_VS_MODEL", {})
    value, expected = found.get("metric_value"), found.get("benchmark_value")
    return None if value is None or expected is None else float(value) - float(expected)


def grouped(
    rows: Sequence[QualityResultRow], key: Callable[[QualityResultRow], str]
) -> dict[str, list[QualityResultRow]]:
    """Rows by key, keys in order."""
    groups: dict[str, list[QualityResultRow]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return dict(sorted(groups.items()))
