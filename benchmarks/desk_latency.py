"""How long clients of a running desk wait: `recommend` over HTTP, and a fill to a WebSocket client.

    python -m benchmarks.desk_latency [--seconds 20] [--rate 100] [--orders 12]

Starts `bestex serve` in a process of its own with a fresh state directory, works `--orders` parent orders on the
generated market, and measures beside them:
  recommend   open loop at `--rate` requests a second: from the moment a request is due to its last byte
  fill        from the instant the venue's report reached the desk to the frame in the client's hand
  bare        the same open loop against `benchmarks.bare_endpoint`: same models, constant answer, one worker
Latencies include the durable commit that comes before every answer and every frame. `server_cpu_ms` is CPU time of the
server's process, user and system, over the requests: `all` with the market and the orders it works, `net` without what
they took in a quiet stretch just before. It says more than a latency where the machine is shared.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import websockets

from tests.desk_process import DeskProcess

LIMITS = httpx2.Limits(max_connections=50, max_keepalive_connections=50)
INSTRUMENTS = ("AAPL", "MSFT", "KRNL", "WOBL")


def percentiles(values: list[float]) -> dict[str, float]:
    ranked = sorted(values)

    def at(share: float) -> float:
        return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))], 3)

    return {"n": len(ranked), "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99), "max_ms": at(1.0)}


def nanoseconds(text: str) -> int:
    head, _, fraction = text.rstrip("Z").partition(".")
    return int(datetime.fromisoformat(head + "+00:00").timestamp()) * 10**9 + int(fraction.ljust(9, "0"))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def metered_recommend(client: httpx2.AsyncClient, pid: int, rate: float, seconds: float) -> dict[str, Any]:
    """As `recommend`, with the server's CPU time a request."""
    quiet, quiet_for = cpu_seconds(pid), 2.0
    await asyncio.sleep(quiet_for)
    quiet = (cpu_seconds(pid) - quiet) / quiet_for
    before, started = cpu_seconds(pid), time.perf_counter()
    asked = await recommend(client, rate, seconds)
    used, lasted = cpu_seconds(pid) - before, time.perf_counter() - started
    per_request = {"all": used, "net": used - quiet * lasted}
    return asked | {"server_cpu_ms": {name: round(spent / asked["n"] * 1e3, 2) for name, spent in per_request.items()}}


class BareProcess:
    """`benchmarks.bare_endpoint` as a process of its own."""

    def __init__(self) -> None:
        command = (sys.executable, "-m", "benchmarks.bare_endpoint")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[1]

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)


async def bare(rate: float, seconds: float) -> dict[str, Any]:
    """The same requests at the same rate to an endpoint that computes and keeps nothing."""
    server = BareProcess()
    try:
        async with httpx2.AsyncClient(base_url=server.url, timeout=10, limits=LIMITS) as client:
            await recommend(client, 20, 2)
            return await metered_recommend(client, server.process.pid, rate, seconds)
    finally:
        server.stop()


async def send_orders(desk: DeskProcess, client: httpx2.AsyncClient, count: int) -> None:
    for number in range(count):
        body = {
            "order_id": f"bench-{number}",
            "instrument_id": INSTRUMENTS[number % len(INSTRUMENTS)],
            "side": "BUY" if number % 2 else "SELL",
            "quantity": 2_000,
            "algorithm": ("TWAP", "VWAP", "PARTICIPATION_RATE", "IMPLEMENTATION_SHORTFALL")[number // 4 % 4],
            "execution_instructions": {"execution_style": ("AGGRESSIVE", "BALANCED")[number % 2]},
        }
        reply = await client.post("/api/v1/orders", json=body)
        reply.raise_for_status()


async def recommend(client: httpx2.AsyncClient, rate: float, seconds: float) -> dict[str, Any]:
    latencies: list[float] = []
    failed = 0
    started = time.perf_counter()

    async def one(number: int) -> None:
        nonlocal failed
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        body = {
            "order_id": f"ask-{number}",
            "instrument_id": INSTRUMENTS[number % len(INSTRUMENTS)],
            "side": "BUY",
            "quantity": 1_000 + 100 * (number % 50),
            "objective": "BALANCED_EXECUTION",
            "urgency": "NORMAL",
            "constraints": {"max_participation_rate": 0.2},
        }
        reply = await client.post("/api/v1/execution-strategy/recommend", json=body)
        latencies.append((time.perf_counter() - due) * 1e3)
        failed += reply.status_code != 200

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    return percentiles(latencies) | {"rate": rate, "failed": failed}


async def fills(desk: DeskProcess, seconds: float) -> dict[str, Any]:
    latencies: list[float] = []
    address = desk.url.replace("http", "ws") + "/api/v1/monitoring/stream"
    speed = desk.get("/desk")["speed"]
    pace = desk.get("/desk")["pace"]
    until = time.monotonic() + seconds

    async def follow() -> None:
        """The clock slips when the desk cannot keep up, so where it stands is asked again and again."""
        nonlocal pace
        while True:
            await asyncio.sleep(0.5)
            pace = (await asyncio.to_thread(desk.get, "/desk"))["pace"]

    following = asyncio.create_task(follow())
    async with websockets.connect(address) as socket:
        while (left := until - time.monotonic()) > 0:
            try:
                frame = json.loads(await asyncio.wait_for(socket.recv(), left))
            except TimeoutError:
                break
            now = time.time_ns()
            update = frame["message"].get("execution_monitoring")
            if update and update["last_fill"]:
                ahead_ns = nanoseconds(frame["message"]["timestamp"]) - nanoseconds(pace["due"])
                happened = nanoseconds(pace["wall"]) + ahead_ns / speed
                latencies.append((now - happened) / 1e6)
    following.cancel()
    return percentiles(latencies) if latencies else {"n": 0}


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    folder = tempfile.TemporaryDirectory()
    desk = DeskProcess(Path(folder.name), speed=arguments.speed)
    try:
        async with httpx2.AsyncClient(base_url=desk.url, timeout=10, limits=LIMITS) as client:
            await send_orders(desk, client, arguments.orders)
            await recommend(client, 20, 2)  # connections and caches warm
            quiet = await fills(desk, arguments.seconds / 2)
            busy_fills, asked = await asyncio.gather(
                fills(desk, arguments.seconds + 2),
                metered_recommend(client, desk.process.pid, arguments.rate, arguments.seconds),
            )
    finally:
        desk.stop()
        folder.cleanup()
    alone = await bare(arguments.rate, arguments.seconds)
    ratios = {name: round(asked[name] / alone[name], 1) for name in ("p50_ms", "p99_ms")}
    cpu, bare_cpu = asked["server_cpu_ms"]["net"], alone["server_cpu_ms"]["net"]
    return {
        "speed": arguments.speed,
        "orders": arguments.orders,
        "load_average": os.getloadavg()[0],
        "recommend_over_http": asked,
        "bare_endpoint": alone,
        "recommend_over_bare": ratios | {"server_cpu_net": round(cpu / bare_cpu, 1)},
        "fill_to_websocket": quiet,
        "fill_to_websocket_beside_recommend": busy_fills,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--orders", type=int, default=12)
    parser.add_argument("--speed", type=float, default=20)
    print(json.dumps(asyncio.run(measure(parser.parse_args())), indent=1))


if __name__ == "__main__":
    main()
