"""Replay side by side with hftbacktest: the same day, the same parent orders, one run, one core.

    python -m benchmarks.peers_replay [--data benchmarks/data] [--repeats 5] [--json FILE]

Makes the peer an environment of its own under ~/.cache (Python 3.12), or uses the one made before; says so and ends
well where that cannot be. Both replay the seeded day with 1,000 parents of 30 slices in one market, 0.5 ms from the
market and 0.5 ms to it; market slices, or posted at the touch and crossed at the next slice. Case by case ours, then
theirs: CPU time only, medians, first run dropped. Events are the feed's for both. Preparing the input (our tape, their
event array) is not counted; our Python part, ledgers, fees and fill hashes are.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.flow import PUBLISHED_SHA256, SEED, N, generate, sha256
from benchmarks.peers.environment import PeerMissing, environment
from benchmarks.replay import EVENTS, STYLES, parents, tapes, timed
from bestex.native.decision import SideCode
from bestex.native.replay import ReplayParent

PACKAGES = ("hftbacktest==2.4.4", "numba", "numpy")
PYTHON = (3, 12)
DRIVER = Path(__file__).parent / "peers" / "hftbacktest_replay.py"
PEER_STYLES = {"market": "market", "passive then cross": "passive"}


def rows_of_the_day(folder: Path) -> dict[str, Path]:
    """The day's rows as files, made on the first run."""
    paths = {layout: folder / f"{layout}.npy" for layout in EVENTS}
    if not all(path.exists() for path in paths.values()):
        folder.mkdir(parents=True, exist_ok=True)
        flow = generate(N, SEED)
        for layout, path in paths.items():
            np.save(path, getattr(flow, layout))
    for layout, path in paths.items():
        if sha256(np.load(path)) != PUBLISHED_SHA256[layout]:
            raise SystemExit(f"{path} is not the published day; delete it and run again")
    return paths


def write_schedule(orders: list[ReplayParent], path: Path) -> None:
    """Every slice of every parent in time order, as the peer's driver reads it."""
    slices = sorted(
        (order.start_ns + (order.end_ns - order.start_ns) * k // order.slices, number, k)
        for number, order in enumerate(orders)
        for k in range(order.slices)
    )
    place = {(number, k): i for i, (_, number, k) in enumerate(slices)}
    np.savez(
        path,
        time_ns=np.array([time_ns for time_ns, _, _ in slices]),
        sign=np.array([1 if orders[number].side is SideCode.BUY else -1 for _, number, _ in slices]),
        quantity=np.array([orders[number].quantity / orders[number].slices for _, number, _ in slices]),
        before=np.array([place.get((number, k - 1), -1) for _, number, k in slices]),
    )


def measure(folder: Path, repeats: int) -> dict[str, Any]:
    """Raises PeerMissing where the peer cannot be had."""
    peer = environment("hftbacktest", PACKAGES, PYTHON)
    files, ours = rows_of_the_day(folder), tapes(folder)
    cases, version = [], ""
    with tempfile.TemporaryDirectory() as scratch:
        schedule = Path(scratch) / "schedule.npz"
        for layout, tape in ours.items():
            for name, style in STYLES.items():
                orders = parents(style, apart=False)
                write_schedule(orders, schedule)
                seconds, result = timed(tape, orders, repeats)
                command = [str(peer), "-W", "ignore", str(DRIVER), str(files[layout]), str(schedule), layout]
                command += [PEER_STYLES[name], "--repeats", str(repeats)]
                answer = subprocess.run(command, capture_output=True, text=True)
                if answer.returncode != 0:
                    raise SystemExit(f"{DRIVER.name} failed on {layout}, {name} slices:\n{answer.stderr}")
                theirs = json.loads(answer.stdout.splitlines()[-1])
                version = theirs["version"]
                here, there = statistics.median(seconds), statistics.median(theirs["cpu_s"])
                cases.append(
                    {
                        "layout": layout,
                        "slices": name,
                        "events": EVENTS[layout],
                        "bestex_cpu_s": round(here, 4),
                        "bestex_events_per_cpu_s": round(EVENTS[layout] / here),
                        "bestex_child_orders": int(result.parents["child_orders"].sum()),
                        "bestex_filled": int(result.parents["filled"].sum()),
                        "hftbacktest_cpu_s": round(there, 4),
                        "hftbacktest_events_per_cpu_s": round(EVENTS[layout] / there),
                        "hftbacktest_child_orders": theirs["child_orders"],
                        "hftbacktest_filled": round(theirs["filled"]),
                        "times_faster": round(there / here, 2),
                    }
                )
    return {"hftbacktest": version, "seed": SEED, "repeats": repeats, "cases": cases}


def table(figures: dict[str, Any]) -> str:
    title = (
        f"hftbacktest {figures['hftbacktest']}, seed {figures['seed']}, 1,000 parents in one market,"
        " million events per CPU-second"
    )
    rows = [
        f"{case['layout']}  {case['slices']:<20}{case['bestex_events_per_cpu_s'] / 1e6:9.1f}"
        f"{case['hftbacktest_events_per_cpu_s'] / 1e6:13.1f}{case['times_faster']:8.1f}"
        f"    {case['bestex_filled']:,}, {case['hftbacktest_filled']:,}"
        for case in figures["cases"]
    ]
    return "\n".join([title, f"{'':24}{'bestex':>9}{'hftbacktest':>13}{'ratio':>8}    filled: ours, theirs", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    try:
        figures = measure(options.data, options.repeats)
    except PeerMissing as missing:
        print(f"skipped: hftbacktest cannot be run here: {missing}")
        return
    print(table(figures))
    print(json.dumps(figures))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
