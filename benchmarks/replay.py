"""How fast the replay core is, on the seeded day: CPU-time medians, one core, every result kept on.

    python -m benchmarks.replay [--data benchmarks/data] [--repeats 7] [--alone 1000] [--json FILE]

Events counted are the feed's: 4,824,470 price-level rows, 4,000,000 order-by-order rows. Each case runs the same 1,000
parent orders, 30 slices of 100 a minute apart, 0.5 ms from the market and 0.5 ms to it, with fees, ledgers, fill hashes
and arrival quotes. "Shared" is one market with all parents; "worlds" are 1,000 markets in one pass.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.flow import OPEN_NS, PUBLISHED_SHA256, SEED, N, generate, sha256
from bestex.native.decision import SideCode, StyleCode
from bestex.native.replay import Replay, ReplayConfig, ReplayParent, ReplayResult
from bestex.native.tape import Tape, build_tape, open_tape

EVENTS = {"l2": 4_824_470, "l3": 4_000_000}
STYLES = {"market": StyleCode.AGGRESSIVE, "passive then cross": StyleCode.BALANCED}
CONFIG = ReplayConfig(
    feed_delay_ns=500_000, order_delay_ns=500_000, report_delay_ns=500_000, maker_fee=-2_000, taker_fee=3_000
)
EVENTS_PER_SECOND_BAR = 40e6
WORLDS_SECONDS_BAR = 0.5
MEMORY_BAR_MB = 64
_MEMORY_PROBE = """
import sys, numpy
def peak():  # not ru_maxrss, which a child process inherits
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
if len(sys.argv) > 1:
    from benchmarks.replay import CONFIG, parents
    from bestex.native.decision import StyleCode
    from bestex.native.replay import Replay
    from bestex.native.tape import open_tape
    for _ in range(int(sys.argv[2])):
        Replay(open_tape(sys.argv[1]), CONFIG).run(parents(StyleCode.BALANCED, apart=True))
print(before, peak())
"""


def parents(style: StyleCode, *, apart: bool) -> list[ReplayParent]:
    """1,000 parents of 3,000 in 30 slices, starting at random seconds; each in its own world when `apart`."""
    random = np.random.Generator(np.random.PCG64(7))
    starts = np.sort(random.integers(1, 23_400 - 1_860, 1_000))
    buys = random.random(1_000) < 0.5
    return [
        ReplayParent(
            world=i if apart else 0,
            side=SideCode.BUY if buy else SideCode.SELL,
            quantity=3_000,
            start_ns=OPEN_NS + int(start) * 10**9,
            end_ns=OPEN_NS + (int(start) + 1_800) * 10**9,
            slices=30,
            style=style,
        )
        for i, (start, buy) in enumerate(zip(starts, buys, strict=True))
    ]


def tapes(folder: Path) -> dict[str, Tape]:
    """The day's two tapes, made on the first run."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {layout: folder / f"{layout}.tape" for layout in EVENTS}
    if not all(path.exists() for path in paths.values()):
        flow = generate(N, SEED)
        for layout, path in paths.items():
            rows = getattr(flow, layout)
            if sha256(rows) != PUBLISHED_SHA256[layout]:
                raise SystemExit(f"the generated {layout} rows are not the published day")
            build_tape(rows, path, instrument_id="FLOW")
    return {layout: open_tape(path) for layout, path in paths.items()}


def timed(tape: Tape, orders: list[ReplayParent], repeats: int) -> tuple[list[float], ReplayResult]:
    """CPU seconds of each repeat, Python's part included, and the result."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.process_time()
        result = Replay(tape, CONFIG).run(orders)
        seconds.append(time.process_time() - start)
    return seconds[1:], result


def differing_worlds(tape: Tape, together: ReplayResult, orders: list[ReplayParent], count: int) -> int:
    """Worlds whose fills, run alone, are not bit for bit those of the common pass."""
    chosen = np.linspace(0, len(orders) - 1, count).astype(int)
    return sum(
        bool(Replay(tape, CONFIG).run([replace(orders[i], world=0)]).worlds[0] != together.worlds[i]) for i in chosen
    )


def memory_mb(tape: Tape, days: int) -> float:
    """Peak resident memory beyond Python and NumPy, in a process of its own: 1,000 worlds, `days` times in a row."""
    probe = subprocess.run(
        [sys.executable, "-c", _MEMORY_PROBE, tape.path, str(days)], check=True, capture_output=True, text=True
    )
    before, after = map(float, probe.stdout.split())
    return after - before


def measure(folder: Path, repeats: int, alone: int) -> dict[str, Any]:
    cases = []
    found = tapes(folder)
    for layout, tape in found.items():
        for name, style in STYLES.items():
            for apart in (False, True):
                orders = parents(style, apart=apart)
                seconds, result = timed(tape, orders, repeats)
                median = statistics.median(seconds)
                case: dict[str, Any] = {
                    "layout": layout,
                    "slices": name,
                    "worlds": 1_000 if apart else 1,
                    "cpu_s_median": round(median, 4),
                    "cpu_s_min": round(min(seconds), 4),
                    "cpu_s_max": round(max(seconds), 4),
                    "events_per_cpu_s": round(EVENTS[layout] / median),
                    "child_orders": int(result.parents["child_orders"].sum()),
                    "filled": int(result.parents["filled"].sum()),
                    "displaced": int(result.worlds["displaced"].sum()),
                }
                if apart:
                    case["worlds_compared_alone"] = alone
                    case["worlds_that_differ"] = differing_worlds(tape, result, orders, alone)
                    case["meets_bar"] = median <= WORLDS_SECONDS_BAR and case["worlds_that_differ"] == 0
                else:
                    case["meets_bar"] = case["events_per_cpu_s"] >= EVENTS_PER_SECOND_BAR
                cases.append(case)
                print(_line(case), flush=True)
    one, eight = memory_mb(found["l3"], 1), memory_mb(found["l3"], 8)
    print(f"memory beyond Python and NumPy: {one:.1f} MB for one day, {eight:.1f} MB for eight in a row")
    return {
        "machine": {"cpu": _cpu(), "python": platform.python_version(), "numpy": np.__version__},
        "cases": cases,
        "memory_mb": {"one_day": round(one, 1), "eight_days": round(eight, 1), "meets_bar": eight <= MEMORY_BAR_MB},
    }


def _line(case: dict[str, Any]) -> str:
    text = (
        f"{case['layout']}  {case['slices']:<19} {case['worlds']:>5} world(s)  {case['cpu_s_median']:.4f} CPU-s"
        f"  {case['events_per_cpu_s'] / 1e6:6.1f} M events/CPU-s  {'ok' if case['meets_bar'] else 'MISSES ITS BAR'}"
    )
    if "worlds_that_differ" in case:
        text += f"  ({case['worlds_that_differ']} of {case['worlds_compared_alone']} worlds differ alone)"
    return text


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--alone", type=int, default=1_000, help="worlds of each pass to run again alone")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    figures = measure(options.data, options.repeats, options.alone)
    figures["machine"]["peak_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    if not (all(case["meets_bar"] for case in figures["cases"]) and figures["memory_mb"]["meets_bar"]):
        raise SystemExit("a bar is missed")


if __name__ == "__main__":
    main()
