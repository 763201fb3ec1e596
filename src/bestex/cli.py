"""`bestex`: the desk on the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import bestex
from bestex import cli_bus, cli_keys, cli_store
from bestex.app import errors
from bestex.domain.errors import BestexError, InvalidInput

app = typer.Typer(
    name="bestex",
    help="An open best-execution desk: recommend, work, watch and grade parent orders.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

instruments = typer.Typer(
    name="instruments", help="What a running desk knows of instruments and venues.", no_args_is_help=True
)
app.add_typer(instruments)
app.add_typer(cli_bus.app)
app.add_typer(cli_keys.app)
app.add_typer(cli_store.app)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
out = Console(soft_wrap=True, highlight=False)


def main() -> None:
    """Entry point: errors a user can act on end with one clear message, exit code 2 for bad input, 1 otherwise.

    3 says that a server was away.
    """
    try:
        app()
    except BestexError as error:
        sys.exit(errors.explain(error, as_json="--json" in sys.argv))
    except KeyboardInterrupt:
        sys.exit(130)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if show:
        out.print(bestex.__version__)
        raise typer.Exit


@app.command()
def serve(
    target: Annotated[str | None, typer.Option(help="What this process is; see docs/deployment.md.")] = None,
    host: Annotated[str | None, typer.Option(help="A loopback address, or any where identities are required.")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes any free port.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where orders and the journal are kept.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the generated market, at the first start.")] = None,
    speed: Annotated[float | None, typer.Option(help="Desk seconds per wall second.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings; BESTEX_<NAME> and options win.")] = None,
    instance: Annotated[str | None, typer.Option(help="Name of this process, where several serve one target.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    instruments: Annotated[
        list[Path] | None, typer.Option(help="TOML file of an instrument to know; may be given several times.")
    ] = None,
) -> None:
    """Run the desk: API and dashboard on one address, on a generated market, until stopped.

    Every option can also be given as BESTEX_<NAME> in the environment. A restart resumes the working orders.
    """
    import uvloop

    from bestex.app import logs, serve, settings

    loaded = settings.load(
        config,
        target=target,
        host=host,
        port=port,
        state_dir=state_dir,
        seed=seed,
        speed=speed,
        instance=instance,
        log_level=log_level,
        instruments=tuple(instruments) if instruments else None,
    )
    logs.configure(loaded.log_level)

    def ready(address: str) -> None:
        out.print(f"bestex {bestex.__version__} is ready")
        out.print(f"  dashboard  {address}/")
        out.print(f"  API        {address}/api/v1   documentation {address}/docs")
        out.print(f"  market     generated, {loaded.speed:g} desk seconds per second; no real prices")
        out.print(f"  state      {loaded.state_dir}   (stop with Ctrl-C; a restart resumes working orders)")

    def one_target(address: str) -> None:
        out.print(f"bestex {loaded.target} is ready  {address}")

    if loaded.target == "gateway":
        from bestex.app import gateway

        uvloop.run(gateway.serve(loaded, one_target))
    elif loaded.target == "dashboard":
        from bestex.app import dashboard_files

        uvloop.run(dashboard_files.serve(loaded, one_target))
    elif loaded.target in settings.SEPARATE:
        from bestex.app import serve_separate

        uvloop.run(serve_separate.serve(loaded, one_target))
    else:
        uvloop.run(serve.serve(loaded, ready))


@app.command()
def trace(
    order_id: Annotated[str, typer.Argument(help="Of the parent order.")],
    spans: Annotated[list[Path], typer.Option(help="What `trace_file` of the processes wrote; several may be given.")],
    picture: Annotated[Path | None, typer.Option(help="SVG to write; default trace-<order>.svg here.")] = None,
) -> None:
    """Draw the trace of one order through all processes as a waterfall."""
    from bestex.adapters.reports import waterfall

    found = waterfall.of_order(waterfall.read_spans(spans), order_id)
    path = picture or Path(f"trace-{order_id}.svg")
    path.write_text(waterfall.waterfall(found, order_id), encoding="utf-8")
    out.print(f"{path}: {len(found)} spans of {len({span.process for span in found})} processes")


@app.command()
def recommend(
    order: Annotated[Path, typer.Argument(help="JSON file: an ExecutionStrategyRequest; - reads standard input.")],
    url: Annotated[str | None, typer.Option(help="Ask this running desk instead of a fresh generated market.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the generated market.")] = 20_261_121,
    as_json: Json = False,
) -> None:
    """Which execution strategy for this order, what it should cost, and why. Starts nothing."""
    from bestex.app import recommend

    text = sys.stdin.read() if str(order) == "-" else _read(order)
    recommend.show(recommend.ask(text, url=url, seed=seed), as_json=as_json)


@app.command()
def demo(
    orders: Annotated[int, typer.Option(min=1, max=500, help="Parent orders to run.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of the market and of the orders.")] = 20_261_121,
    as_json: Json = False,
) -> None:
    """Run a few orders through all four services on a generated market, as fast as it goes, and show what they cost."""
    from bestex.app import demo

    demo.run(orders=orders, seed=seed, as_json=as_json)


@app.command()
def replay(
    tape: Annotated[Path, typer.Option(help="Message, trade+quote, bar or DBN file; the format is detected.")],
    side: Annotated[str, typer.Option(help="BUY or SELL.")],
    quantity: Annotated[str, typer.Option(help="Whole lots.")],
    start: Annotated[str, typer.Option(help="Exchange time HH:MM[:SS] of the tape's day, or ISO-8601.")],
    end: Annotated[str, typer.Option(help="As --start.")],
    algorithm: Annotated[
        str | None, typer.Option(help="TWAP, VWAP, PARTICIPATION_RATE or IMPLEMENTATION_SHORTFALL; none = recommended.")
    ] = None,
    style: Annotated[str | None, typer.Option(help="PASSIVE, AGGRESSIVE, BALANCED or OPPORTUNISTIC.")] = None,
    rate: Annotated[float | None, typer.Option(help="Participation rate in (0, 1].")] = None,
    limit: Annotated[str | None, typer.Option(help="Worst acceptable price.")] = None,
    book: Annotated[Path | None, typer.Option(help="Order-book or quote file, where the tape needs one.")] = None,
    instrument: Annotated[Path | None, typer.Option(help="TOML with tick, lot, multiplier, where unknown.")] = None,
    history: Annotated[Path | None, typer.Option(help="Volumes of earlier days for VWAP; flat without.")] = None,
    queue_model: Annotated[
        str, typer.Option(help="For tapes without order ids: none, pro-rata, squared or ahead.")
    ] = "pro-rata",
    report: Annotated[Path | None, typer.Option(help="HTML report; default <order>.html here.")] = None,
    events: Annotated[Path | None, typer.Option(help="Write the event log here, one JSON message a line.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 20_261_121,
    as_json: Json = False,
) -> None:
    """Work one parent order against a recorded market: fills, costs, grade, and a report with plots."""
    from bestex.app import replay

    replay.run(
        replay.ReplayRequest(
            tape=tape,
            book=book,
            instrument=instrument,
            side=side,
            quantity=quantity,
            algorithm=algorithm,
            style=style,
            rate=rate,
            limit=limit,
            start=start,
            end=end,
            history=history,
            queue_model=queue_model,
            seed=seed,
        ),
        report=report,
        events=events,
        as_json=as_json,
    )


@instruments.command("add")
def add_instruments(
    files: Annotated[list[Path], typer.Argument(help="TOML files, as `bestex replay --instrument` takes them.")],
    url: Annotated[str | None, typer.Option(help="The running desk; by default where `bestex serve` listens.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Change what is known otherwise.")] = False,
) -> None:
    """Add instruments and their venues to a running desk. They are known from then on, and after a restart."""
    from bestex.app import instruments, settings

    loaded = settings.load()
    for line in instruments.add(files, url=url or f"http://{loaded.host}:{loaded.port}", may_replace=replace):
        out.print(line)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInput(
            f"{path} cannot be read: {reason}", field="order", value=path, expected="a readable JSON file"
        ) from None
