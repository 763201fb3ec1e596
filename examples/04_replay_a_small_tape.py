"""A recorded market in, a worked order and an HTML report out. The recording is made here, in LOBSTER's layout.

With a real one: bestex replay --tape AAPL_2012-06-21_34200000_37800000_message_50.csv.gz --side BUY --quantity 5000 ...

Run: python examples/04_replay_a_small_tape.py [folder]
"""

import os
import random
import sys
import tempfile
from pathlib import Path

from bestex.app import replay

ADD, DELETE, EXECUTION = 1, 3, 4


def write_tape(folder: Path, seed: int) -> Path:
    """Ten minutes from 09:30: orders come and go around 100.00, and every second the best one is executed against."""
    randomness = random.Random(seed)
    lines: list[str] = []
    books: dict[int, list[tuple[int, int, int]]] = {1: [], -1: []}  # direction -> (price, order id, size)

    def say(at: float, kind: int, order: tuple[int, int, int], direction: int) -> None:
        lines.append(f"{at:.6f},{kind},{order[1]},{order[2]},{order[0]},{direction}\n")

    for number in range(6_000):
        at = 34_200 + number * 0.1
        direction = randomness.choice((1, -1))
        book = books[direction]
        if len(book) < 12:
            price = 1_000_000 - direction * 100 * randomness.randint(1, 6)  # price x 10000
            book.append((price, number + 1, 100 * randomness.randint(1, 5)))
            say(at, ADD, book[-1], direction)
        elif number % 10 == 0:
            best = max(book, key=lambda order: (direction * order[0], -order[1]))
            book.remove(best)
            say(at, EXECUTION, best, direction)
        else:
            say(at, DELETE, book.pop(randomness.randrange(len(book))), direction)
    path = folder / "EXMPL_2026-11-20_34200000_34800000_message_50.csv"
    path.write_text("".join(lines))
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        os.environ.setdefault("XDG_CACHE_HOME", scratch)  # where the built tape is kept
        tape = write_tape(folder, seed=1)
        order = replay.ReplayRequest(
            tape=tape, side="BUY", quantity="3000", start="09:32", end="09:36", algorithm="VWAP"
        )
        replay.run(order, report=folder / "order.html", events=folder / "events.jsonl", as_json=False)
        messages = (folder / "events.jsonl").read_text().count("\n")
        print(f"event log: {messages} messages; the same tape and order write the same bytes again")


if __name__ == "__main__":
    main()
