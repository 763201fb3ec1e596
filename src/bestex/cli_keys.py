"""`bestex keys`: who may reach a desk that requires identities."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bestex.domain.errors import InvalidInput

app = typer.Typer(name="keys", help="API keys of a desk that requires identities.", no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False, markup=False)

File = Annotated[Path | None, typer.Option("--file", help="Default: the setting identities_file.")]


@app.command()
def create(
    subject: Annotated[str, typer.Argument(help="Who will use it, e.g. jane or risk-engine.")],
    role: Annotated[list[str], typer.Option(help="trader, desk_head, risk, quant, operator or read_only; repeatable.")],
    tenant: Annotated[str, typer.Option(help="Whose orders it sees; default is the house.")] = "default",
    account: Annotated[str | None, typer.Option(help="Keys of one account share a rate limit.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="It runs out after so many days.")] = None,
    file: File = None,
) -> None:
    """Make a key and show it, once. The file keeps only its digest."""
    from bestex.app import identity_file

    expires = None if days is None else int((datetime.now(UTC) + timedelta(days=days)).timestamp()) * 10**9
    path = _path(file)
    key_id, text = identity_file.create_key(
        path, subject=subject, tenant=tenant, roles=role, account=account, expires_ns=expires
    )
    out.print(text)
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(
        f"key {key_id} of {subject} (tenant {tenant}) is in {path}; it is not shown again"
    )


@app.command("list")
def listing(file: File = None) -> None:
    """The keys, without what would let anybody in."""
    from bestex.app import identity_file
    from bestex.domain.time import to_iso

    for key_id, key in identity_file.load(_path(file)).keys.items():
        identity = key.identity
        until = "no end" if identity.expires_ns is None else f"until {to_iso(identity.expires_ns)}"
        state = "revoked" if key.is_revoked else until
        out.print(f"{key_id}  {identity.tenant}  {identity.subject}  {', '.join(sorted(identity.roles))}  {state}")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="As `bestex keys list` shows it.")], file: File = None) -> None:
    """Refuse a key from now on. A running desk hears of it within a second, its open sockets within two."""
    from bestex.app import identity_file

    identity_file.revoke_key(_path(file), key_id)
    out.print(f"key {key_id} is revoked")


def _path(file: Path | None) -> Path:
    from bestex.app import settings

    if file is not None:
        return file
    loaded = settings.load()
    if loaded.identities_file is None:
        raise InvalidInput(
            "no file is given: use --file, or set identities_file (BESTEX_IDENTITIES_FILE)",
            field="file",
            expected="a path",
        )
    return loaded.identities_file
