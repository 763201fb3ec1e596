"""HTML pieces. Every text passes through `escape`; a value that does not exist says why."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Markup:
    """HTML that is already escaped."""

    html: str


@dataclass(frozen=True)
class Missing:
    """A value that does not exist, and why."""

    reason: str


Cell = str | Markup | Missing


@dataclass(frozen=True, kw_only=True)
class Column:
    """`unit` stands small in the header; figures are right-aligned."""

    name: str
    unit: str = ""
    is_figure: bool = True


def text_column(name: str, unit: str = "") -> Column:
    return Column(name=name, unit=unit, is_figure=False)


def shown(value: Any, write: Callable[[Any], str], reason: str) -> Cell:
    """The value as text, or why there is none."""
    return Missing(reason) if value is None else write(value)


def cell_html(cell: Cell) -> str:
    match cell:
        case Markup(html):
            return html
        case Missing(reason):
            return f'<span class="missing">none: {escape(reason)}</span>'
        case str():
            return escape(cell)


def table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, total: bool = False, note: str = "") -> str:
    """A table; with `total`, its last row is one."""
    body = list(rows)
    head = "".join(
        f'<th scope="col"{_kind(column)}>{escape(column.name)}'
        + (f' <span class="unit">{escape(column.unit)}</span>' if column.unit else "")
        + "</th>"
        for column in columns
    )
    lines = []
    for number, row in enumerate(body):
        cells = "".join(f"<td{_kind(column)}>{cell_html(cell)}</td>" for column, cell in zip(columns, row, strict=True))
        is_last = total and number == len(body) - 1
        lines.append(f'<tr class="total">{cells}</tr>' if is_last else f"<tr>{cells}</tr>")
    foot = f'<p class="note">{escape(note)}</p>' if note else ""
    rows_html = f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<div class="scroll" tabindex="0"><table>{rows_html}</table></div>{foot}'


def _kind(column: Column) -> str:
    return ' class="figure"' if column.is_figure else ""


def section(anchor: str, title: str, *pieces: str) -> str:
    return f'<section id="{anchor}"><h2>{escape(title)}</h2>{"".join(pieces)}</section>'


def collapsed(anchor: str, title: str, *pieces: str) -> str:
    """Closed until asked for; needs no script."""
    head = f"<summary><h2>{escape(title)}</h2></summary>"
    return f'<section id="{anchor}"><details>{head}{"".join(pieces)}</details></section>'


def paragraph(text: str, css_class: str = "") -> str:
    kind = f' class="{css_class}"' if css_class else ""
    return f"<p{kind}>{escape(text)}</p>"


def listing(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def figure(svg: str, caption: str) -> str:
    return f'<figure><div class="plot" tabindex="0">{svg}</div><figcaption>{escape(caption)}</figcaption></figure>'
