"""A small recording in LOBSTER's layout, made from a seed: every order, deletion and execution of half an hour."""

import random
from pathlib import Path

FIRST_S, MINUTES = 34_200, 30  # 09:30 in New York
_MID = 1_000_000  # price x 10000: 100.00
_TICK = 100
_LEVELS = 8


def write_small_tape(folder: Path, *, seed: int, messages: int = 6_000) -> Path:
    """Writes the message file and returns its path. The price goes nowhere for long; no quote is ever crossed."""
    randomness = random.Random(seed)
    live: dict[int, tuple[int, int, int]] = {}  # order id -> (direction, price, size)
    lines: list[str] = []
    next_id, now = 1, float(FIRST_S)

    def say(kind: int, order_id: int, size: int, price: int, direction: int) -> None:
        lines.append(f"{now:.9f},{kind},{order_id},{size},{price},{direction}")

    def add(direction: int, price: int) -> None:
        nonlocal next_id
        size = 100 * randomness.randint(1, 5)
        live[next_id] = (direction, price, size)
        say(1, next_id, size, price, direction)
        next_id += 1

    for distance in range(1, _LEVELS + 1):
        for direction in (1, -1):
            add(direction, _MID - direction * _TICK * distance)
    step = MINUTES * 60 / messages
    for number in range(messages):
        now = FIRST_S + 1 + number * step
        direction = randomness.choice((1, -1))
        resting = sorted(
            (order_id for order_id, order in live.items() if order[0] == direction),
            key=lambda order_id: (-live[order_id][0] * live[order_id][1], order_id),
        )
        best = live[resting[0]][1]
        behind = [order_id for order_id in resting if live[order_id][1] != best]
        if len(resting) < 2 * _LEVELS:
            other = [order[1] for order in live.values() if order[0] == -direction]
            opposite = min(other) if direction == 1 else max(other)
            add(direction, opposite - direction * _TICK * randomness.randint(1, _LEVELS + 2))
        elif behind and randomness.random() < 0.5:
            order_id = randomness.choice(behind)
            say(3, order_id, live[order_id][2], live[order_id][1], direction)
            del live[order_id]
        else:
            order_id = resting[0]
            _, price, size = live[order_id]
            taken = min(size, 100 * randomness.randint(1, 3))
            say(4, order_id, taken, price, direction)
            if taken == size:
                del live[order_id]
            else:
                live[order_id] = (direction, price, size - taken)
    path = folder / "TEST_2026-11-20_34200000_57600000_message_50.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path
