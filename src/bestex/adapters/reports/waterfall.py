"""One order's trace as a picture: a row a span, below the span that led to it, a colour a process."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from bestex.domain.errors import InvalidData, NotFound

_WIDTH: Final = 1_400
_NAMES: Final = 470
_ROW: Final = 17
_TOP: Final = 70
_COLOURS: Final = ("#0b5cad", "#c25700", "#2f7d32", "#8e3b8f", "#a8890a", "#b3261e", "#00798c", "#566472")


@dataclass(frozen=True)
class Span:
    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_ns: int
    end_ns: int
    process: str
    order_id: str | None


def read_spans(files: Iterable[Path]) -> list[Span]:
    """Spans of files with one JSON object a line.

    Raises:
        InvalidData: naming the line that is no span.
    """
    spans = []
    for path in files:
        if not path.is_file():
            raise InvalidData(f"there is no file {path}", field="spans", value=path, expected="what trace_file wrote")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                spans.append(_span(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise InvalidData(
                    f"{path}, line {number} is no span: {error!r}",
                    field="spans",
                    value=line[:80],
                    expected="a line of `trace_file`",
                ) from None
    return spans


def of_order(spans: Sequence[Span], order_id: str) -> list[Span]:
    """The order's spans and the requests above them.

    Raises:
        NotFound: if there is none.
    """
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    wanted: dict[tuple[str, str], Span] = {}
    for span in spans:
        found: Span | None = span if span.order_id == order_id else None
        while found is not None and (found.trace_id, found.span_id) not in wanted:
            wanted[found.trace_id, found.span_id] = found
            found = None if found.parent_id is None else by_id.get((found.trace_id, found.parent_id))
    if not wanted:
        raise NotFound(f"no span of order {order_id} in these files", field="order_id", value=order_id)
    return list(wanted.values())


def waterfall(spans: Sequence[Span], order_id: str, rows_max: int = 120) -> str:
    """An SVG of at most `rows_max` rows; how many spans were left out is written in it. Time is the processes' own."""
    rows = _rows(spans)
    shown = rows[:rows_max]
    began = min(span.start_ns for span, _ in shown)
    took = max(1, max(span.end_ns for span, _ in shown) - began)
    processes = list(dict.fromkeys(span.process for span, _ in rows))
    colours = {process: _COLOURS[number % len(_COLOURS)] for number, process in enumerate(processes)}
    scale = (_WIDTH - _NAMES - 90) / took
    height = _TOP + _ROW * len(shown) + 16
    left_out = f", the first {len(shown)} of {len(spans)} drawn" if len(shown) < len(spans) else ""
    text = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
            'font-size="11"><rect width="100%" height="100%" fill="#ffffff"/>'
        ),
        (
            f'<text x="10" y="20" font-size="15" fill="#16202a">Order {escape(order_id)}: {len(spans)} spans of '
            f"{len(processes)} processes, {took / 1e6:,.1f} ms{left_out}</text>"
        ),
    ]
    for number, process in enumerate(processes):
        x = 10 + number * 170
        text.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{colours[process]}"/>')
        text.append(f'<text x="{x + 17}" y="42" fill="#16202a">{escape(process)}</text>')
    for tick in range(6):
        at = _NAMES + tick * took / 5 * scale
        text.append(f'<line x1="{at:.1f}" y1="{_TOP - 8}" x2="{at:.1f}" y2="{height - 8}" stroke="#d7dde3"/>')
        text.append(f'<text x="{at + 2:.1f}" y="{_TOP - 11}" fill="#566472">{tick * took / 5e6:,.1f} ms</text>')
    for number, (span, depth) in enumerate(shown):
        y = _TOP + number * _ROW
        left = _NAMES + (span.start_ns - began) * scale
        width = max(1.5, (span.end_ns - span.start_ns) * scale)
        milliseconds = (span.end_ns - span.start_ns) / 1e6
        text.append(
            f'<text x="{10 + min(depth, 14) * 9}" y="{y + 12}" fill="#16202a">{escape(span.name)[:64]}</text>'
            f'<rect x="{left:.1f}" y="{y + 2}" width="{width:.1f}" height="{_ROW - 5}" fill="{colours[span.process]}"/>'
            f'<text x="{left + width + 4:.1f}" y="{y + 12}" fill="#566472">{milliseconds:,.2f} ms</text>'
        )
    return "\n".join([*text, "</svg>\n"])


def _rows(spans: Sequence[Span]) -> list[tuple[Span, int]]:
    """Depth first, in order of time; a span whose parent is not here stands at the left."""
    below: dict[tuple[str, str] | None, list[Span]] = {}
    known = {(span.trace_id, span.span_id) for span in spans}
    for span in sorted(spans, key=lambda item: (item.start_ns, item.span_id)):
        above = None if span.parent_id is None else (span.trace_id, span.parent_id)
        below.setdefault(above if above in known else None, []).append(span)
    rows: list[tuple[Span, int]] = []
    waiting = [(span, 0) for span in reversed(below.get(None, []))]
    while waiting:
        span, depth = waiting.pop()
        rows.append((span, depth))
        waiting.extend((child, depth + 1) for child in reversed(below.get((span.trace_id, span.span_id), [])))
    return rows


def _span(line: dict[str, Any]) -> Span:
    attributes = line["attributes"]
    return Span(
        trace_id=line["trace_id"],
        span_id=line["span_id"],
        parent_id=line["parent_id"],
        name=line["name"],
        start_ns=int(line["start_ns"]),
        end_ns=int(line["end_ns"]),
        process=str(line["process"]),
        order_id=attributes.get("bestex.order_id"),
    )
