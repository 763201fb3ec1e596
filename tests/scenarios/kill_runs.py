"""Kills the desk with SIGKILL at random moments, again and again, and audits the journal after each.

`python -m tests.scenarios.kill_runs --kills 200 [--seed S]`. Ends with 1 at the first broken law.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

from rich.progress import Progress

from tests.desk_process import DeskProcess
from tests.scenarios.test_restart import ORDERS, check_laws, journal, send


def run(kills: int, seed: int, folder: Path, progress: Progress) -> tuple[int, list[float]]:
    """Rounds of the same three orders, each in a fresh state, until `kills` are done; (rounds, start-up seconds)."""
    randomness = random.Random(seed)
    task = progress.add_task("kills", total=kills)
    done = rounds = 0
    starts: list[float] = []
    while done < kills:
        rounds += 1
        state = folder / f"round-{rounds}"
        desk = DeskProcess(state, speed=60)
        try:
            send(desk)
            for _ in range(min(5, kills - done)):
                time.sleep(randomness.uniform(0.05, 2.0))
                desk.kill()
                check_laws(journal(state))
                desk = DeskProcess(state, speed=60)
                starts.append(desk.start_seconds)
                known = {row["order_id"] for row in desk.get("/orders")["items"]}
                assert known == set(ORDERS), f"acknowledged orders are missing: {set(ORDERS) - known}"
                done += 1
                progress.update(task, completed=done)
        finally:
            desk.kill()
        check_laws(journal(state))
    return rounds, starts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20_261_121)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Progress() as progress:
        rounds, starts = run(arguments.kills, arguments.seed, Path(folder), progress)
    starts.sort()
    print(f"seed {arguments.seed}: {arguments.kills} kills in {rounds} rounds, nothing lost, doubled or oversent")
    print(f"process start to ready: median {starts[len(starts) // 2]:.2f} s, worst {starts[-1]:.2f} s")


if __name__ == "__main__":
    main()
