"""Power cuts: records the shipped journal's writes and syncs, rebuilds what a disk could hold, opens it, and checks.

`python -m tests.durability.power_loss --images 10000 [--synchronous NORMAL] [--first N] [--seed S]`

Continue an interrupted run with `--first` and the same seed. Ends with 1 if an acknowledged commit is lost, a batch is
half there or a file is corrupt. `--synchronous NORMAL` is the control: it has to lose commits.
"""

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from bestex.adapters.sql.journal import SqlJournal
from bestex.messages.codec import encode
from bestex.messages.records import DeskStateRow
from tests.durability.recording import Image, images, record
from tests.durability.writer import LAST, batch

COMMITS = 300
SEED = 20_261_121
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


async def verdict(image: Image, folder: Path) -> str:
    """`kept`, or what is wrong with the image: `lost N`, `half a batch`, or `corrupt: why`."""
    image.write(folder)
    try:
        journal = await SqlJournal.open_file(folder / "desk.sqlite")
    except Exception as error:  # whatever the library says of such a file is the finding
        return f"corrupt: {error}"
    try:
        integrity = await journal._transaction(
            lambda connection: str(connection.exec_driver_sql("PRAGMA integrity_check").scalar())
        )
        if integrity != "ok":
            return f"corrupt: {integrity}"
        row = await journal.get(DeskStateRow, LAST)
        last = 0 if row is None else int(row.value["number"])
        if last < image.acknowledged:
            return f"lost {image.acknowledged - last}"
        found = [encode(message) async for _, message in journal.read()]
        written = [encode(message) for number in range(1, last + 1) for message in batch(number).messages]
        return "kept" if found == written and journal.last_position == len(found) else "half a batch"
    finally:
        await journal.close()


async def verdicts(found: Iterable[Image]) -> Counter[str]:
    """How often each verdict was reached. An image is opened in memory where the system has such a folder: it is fast."""
    counted: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=_MEMORY) as scratch:
        for image in found:
            counted[await verdict(image, Path(scratch) / "image")] += 1
    return counted


def losses(counted: Counter[str]) -> int:
    return sum(times for result, times in counted.items() if result.startswith("lost"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first image, to go on where a run stopped")
    parser.add_argument("--commits", type=int, default=COMMITS)
    parser.add_argument("--synchronous", choices=["FULL", "NORMAL"], default="FULL")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        Progress("images", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as progress,
    ):
        steps = record(Path(scratch), commits=arguments.commits, synchronous=arguments.synchronous)
        made = images(steps, seed=arguments.seed, count=arguments.images, first=arguments.first)
        task = progress.add_task("", total=arguments.images, completed=arguments.first)
        shown = (progress.update(task, completed=image.number + 1) or image for image in made)
        counted = asyncio.run(verdicts(shown))
    syncs = sum(step.kind == "s" for step in steps)
    print(f"seed {arguments.seed}, {arguments.commits} commits, {len(steps)} steps of which {syncs} syncs")
    kept = counted["kept"]
    print(f"{counted.total()} images: {kept} kept, {losses(counted)} lost acknowledged commits")
    for result, times in counted.most_common():
        if result != "kept" and not result.startswith("lost"):
            print(f"  {times} {result}")
    return 0 if kept == counted.total() else 1


if __name__ == "__main__":
    raise SystemExit(main())
