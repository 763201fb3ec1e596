"""`bestex bus`: topics and subscriptions of the bus between the services."""

import asyncio
import getpass
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bestex.domain.errors import InvalidInput
from bestex.domain.time import from_iso

if TYPE_CHECKING:
    from bestex.ports import Subscription

app = typer.Typer(name="bus", help="Topics and subscriptions of the bus between the services.", no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False, markup=False)

SomeTopic = Annotated[str | None, typer.Argument(help="None = all.")]
Topic = Annotated[str, typer.Argument(help="e.g. orders; `bestex bus topics` lists them.")]
Name = Annotated[str, typer.Argument(help="Name of the subscription.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
Actor = Annotated[str, typer.Option(default_factory=getpass.getuser, help="Who does it, for the audit.")]


@app.callback()
def where(
    context: typer.Context,
    url: Annotated[
        str, typer.Option(envvar="BESTEX_BUS_URL", help="pulsar://HOST:PORT, postgresql://... or sqlite:///FILE.")
    ],
    admin_url: Annotated[
        str | None, typer.Option(envvar="BESTEX_BUS_ADMIN_URL", help="Pulsar's administration, http://HOST:PORT.")
    ] = None,
    namespace: Annotated[
        str, typer.Option(envvar="BESTEX_BUS_NAMESPACE", help="Pulsar's tenant and namespace.")
    ] = "public/bestex",
    shards: Annotated[int, typer.Option(envvar="BESTEX_SHARDS", min=1, max=64, help="Shards of every topic.")] = 4,
) -> None:
    from bestex.app import logs
    from bestex.app.buses import BusAddress

    logs.configure("info")
    context.obj = BusAddress(url=url, admin_url=admin_url, namespace=namespace, shards=shards)


@app.command("topics")
def list_topics(context: typer.Context, as_json: Json = False) -> None:
    """Which topics there are."""
    from bestex.app import bus_commands

    found = asyncio.run(bus_commands.topics(context.obj))
    if as_json:
        out.print(json.dumps(list(found)))
    else:
        for topic in found:
            out.print(topic)


@app.command("subscriptions")
def list_subscriptions(
    context: typer.Context,
    topic: SomeTopic = None,
    as_json: Json = False,
) -> None:
    """Every subscription with its position and lag in each shard."""
    found = _subscriptions(context, topic)
    if as_json:
        out.print(json.dumps([vars(item) for item in found]))
    else:
        out.print(f"{'topic':24} {'subscription':24} {'shard':>5} {'lag':>10}  position")
        for item in found:
            paused = "  paused" if item.is_paused else ""
            out.print(f"{item.topic:24} {item.name:24} {item.shard:5} {item.lag:10}  {item.position or '-'}{paused}")


@app.command()
def lag(
    context: typer.Context,
    topic: SomeTopic = None,
    most: Annotated[int | None, typer.Option("--most", min=0, help="Exit with 1 if one lags by more.")] = None,
    as_json: Json = False,
) -> None:
    """How many records each subscription has not acknowledged, over all shards."""
    totals = _totals(_subscriptions(context, topic))
    if as_json:
        rows = [{"topic": of, "subscription": name, "lag": count} for (of, name), count in totals.items()]
        out.print(json.dumps(rows))
    else:
        for (of, name), count in totals.items():
            out.print(f"{of:24} {name:24} {count:10}")
    if most is not None and any(count > most for count in totals.values()):
        raise typer.Exit(1)


@app.command()
def create(
    context: typer.Context,
    topic: Topic,
    name: Name,
    actor: Actor,
    from_start: Annotated[bool, typer.Option("--from-start", help="Else only what comes from now on.")] = False,
    as_json: Json = False,
) -> None:
    """Make a durable subscription on every shard of a topic. Nothing happens if it exists."""
    detail = "from the start" if from_start else "from the end"
    _change(context, as_json, "create", actor, topic, name, detail=detail, from_start=from_start)


@app.command()
def delete(context: typer.Context, topic: Topic, name: Name, actor: Actor, as_json: Json = False) -> None:
    """Delete a subscription: what it has not heard is no longer kept for it."""
    _change(context, as_json, "delete", actor, topic, name)


@app.command()
def seek(
    context: typer.Context,
    topic: Topic,
    name: Name,
    actor: Actor,
    at: Annotated[str | None, typer.Option("--time", help="ISO-8601: the first record from then.")] = None,
    sequence: Annotated[int | None, typer.Option(min=0, help="The n-th record still kept, from 0.")] = None,
    as_json: Json = False,
) -> None:
    """Move a subscription, in every shard. Pause it first where something is listening."""
    if (at is None) == (sequence is None):
        raise InvalidInput("give --time or --sequence", field="seek", expected="exactly one of the two")
    time_ns = None if at is None else from_iso(at, field="--time")
    detail = f"to sequence {sequence}" if at is None else f"to time {at}"
    _change(context, as_json, "seek", actor, topic, name, detail=detail, time_ns=time_ns, sequence=sequence)


@app.command()
def pause(context: typer.Context, topic: Topic, name: Name, actor: Actor, as_json: Json = False) -> None:
    """Whoever listens gets nothing more until `resume`; nothing is lost."""
    _change(context, as_json, "pause", actor, topic, name)


@app.command()
def resume(context: typer.Context, topic: Topic, name: Name, actor: Actor, as_json: Json = False) -> None:
    """Go on after a pause."""
    _change(context, as_json, "resume", actor, topic, name)


@app.command()
def retain(
    context: typer.Context,
    actor: Actor,
    days: Annotated[float, typer.Option(min=0.0, help="Older records, that everybody has acknowledged, may go.")],
    topic: SomeTopic = None,
    as_json: Json = False,
) -> None:
    """How long records are kept: a SQL bus removes older ones now, Pulsar from now on."""
    seconds = days * 86_400
    _change(context, as_json, "retain", actor, topic, detail=f"{days:g} days", older_than_seconds=seconds)


@app.command()
def remove(context: typer.Context, topic: Topic, actor: Actor, as_json: Json = False) -> None:
    """Remove a topic with everything in it, e.g. the answers to a process that is gone."""
    _change(context, as_json, "remove", actor, topic)


def _subscriptions(context: typer.Context, topic: str | None) -> "Sequence[Subscription]":
    from bestex.app import bus_commands

    return asyncio.run(bus_commands.subscriptions(context.obj, topic))


def _totals(found: "Sequence[Subscription]") -> dict[tuple[str, str], int]:
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for item in found:
        totals[item.topic, item.name] += item.lag
    return totals


def _change(
    context: typer.Context,
    as_json: bool,
    action: str,
    actor: str,
    topic: str | None = None,
    name: str | None = None,
    detail: str | None = None,
    **more: Any,
) -> None:
    from bestex.app import bus_commands

    done = bus_commands.Change(action=action, actor=actor, topic=topic, subscription=name, detail=detail)
    asyncio.run(bus_commands.change(context.obj, done, **more))
    if as_json:
        out.print(json.dumps(vars(done)))
    else:
        out.print(" ".join(part for part in (action, topic, name, detail) if part))
