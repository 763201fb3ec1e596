"""`bestex store`: the database behind a desk, looked at and looked after."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="store", help="The database behind a desk: tables, days, retention.", no_args_is_help=True)

StoreUrl = Annotated[
    str | None,
    typer.Option(envvar="BESTEX_STORE_URL", help="postgresql://USER:PASSWORD@HOST:PORT/NAME or sqlite:///FILE."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
Schemas = Annotated[list[str] | None, typer.Option("--schema", help="Of these services alone; on PostgreSQL.")]


@app.command("upgrade")
def upgrade(url: StoreUrl = None, schema: Schemas = None) -> None:
    """Make the tables, or bring them to the newest revision."""
    from bestex.app import store

    store.upgrade(_store_url(url), schema or ())


@app.command("status")
def status(
    url: StoreUrl = None,
    schema: Schemas = None,
    as_json: Json = False,
) -> None:
    """Revision, days, messages and last positions of each schema, and who holds which lease."""
    from bestex.app import store

    store.status(_store_url(url), schema or (), as_json=as_json)


@app.command("partitions")
def partitions(
    url: StoreUrl = None,
    schema: Schemas = None,
    ahead: Annotated[int, typer.Option(min=0, max=366, help="Days after today.")] = 7,
) -> None:
    """Make the partitions of today and the days ahead. Services make them too, as they come to a day."""
    from bestex.app import store

    store.make_partitions(_store_url(url), schema or (), ahead=ahead)


@app.command("retain")
def retain(
    days: Annotated[int, typer.Option(min=1, help="Whole UTC days that stay, beside today.")],
    url: StoreUrl = None,
    schema: Schemas = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the Parquet files go; default: the state directory.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
) -> None:
    """Write older days to Parquet, then remove them. A day with an order that is still open stays."""
    from bestex.app import settings, store

    target = folder or settings.load().state_dir / "history"
    store.retain(_store_url(url), schema or (), days=days, folder=target, dry_run=dry_run)


def _store_url(url: str | None) -> str:
    from bestex.app import settings

    return url or f"sqlite:///{settings.load().state_dir / 'desk.sqlite'}"
