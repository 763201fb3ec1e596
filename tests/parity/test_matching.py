"""The matching engine in C++ and its Python twin say the same, event by event, on random operations."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bestex.native.matching import ANY_PRICE, OPERATION, MatchEvent, MatchingEngine, OperationKind
from bestex.native.twin import matching as twin

SEEDS = range(8)
OPERATIONS = 4_000
LOWEST, LEVELS = 1_000, 64


def some_operations(seed: int) -> NDArray[np.void]:
    """A few ids, owners and prices, so that everything meets: pegs, own orders, repeated ids, prices off the ladder."""
    random = np.random.default_rng(seed)
    rows = np.zeros(OPERATIONS, OPERATION)
    kinds = [OperationKind.LIMIT] * 8 + [OperationKind.CANCEL] * 5 + list(OperationKind)
    rows["kind"] = random.choice(kinds, OPERATIONS)
    rows["side"] = random.integers(0, 2, OPERATIONS)
    rows["price"] = LOWEST + 26 + random.integers(0, 12, OPERATIONS)
    outside = random.random(OPERATIONS) < 0.01
    rows["price"][outside] = LOWEST + random.choice([-1, LEVELS], outside.sum())
    at_any_price = (rows["kind"] == OperationKind.IMMEDIATE) & (random.random(OPERATIONS) < 0.3)
    rows["price"][at_any_price] = ANY_PRICE
    rows["quantity"] = random.integers(0, 40, OPERATIONS)
    rows["owner"] = random.integers(0, 4, OPERATIONS)
    rows["id"] = random.integers(1, 200, OPERATIONS)
    return rows


def differences(rows: NDArray[np.void], engine: MatchingEngine, other: twin.MatchingEngine) -> list[int]:
    """Numbers of the operations after which the two said or showed something else."""
    found = []
    random = np.random.default_rng(1)
    for number, row in enumerate(rows):
        if number % 50 == 0:
            half_ticks = None if random.random() < 0.3 else int(2 * (LOWEST + 26) + random.integers(0, 24))
            if random.random() < 0.5:
                engine.use_own_midpoint()
                other.has_own_midpoint = True
            else:
                engine.set_midpoint(half_ticks)
                other.has_own_midpoint, other.given_midpoint = False, half_ticks
        said = [MatchEvent(*event) for event in engine.apply(rows[number : number + 1].view(np.uint8).reshape(1, 24))]
        expected = other.apply(
            OperationKind(int(row["kind"])),
            int(row["side"]),
            int(row["price"]),
            int(row["quantity"]),
            int(row["owner"]),
            int(row["id"]),
        )
        shown = (engine.best_bid, engine.best_ask, engine.live_orders)
        if said != expected or shown != (other.best_bid, other.best_ask, len(other.live)):
            found.append(number)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_the_engine_and_its_twin_say_the_same(seed: int) -> None:
    print(f"seed {seed}")
    engine, other = MatchingEngine(LOWEST, LEVELS), twin.MatchingEngine(LOWEST, LEVELS)
    assert differences(some_operations(seed), engine, other) == []
    for side, name in ((1, twin.BUY), (-1, twin.SELL)):
        depth = {price: (quantity, orders) for price, quantity, orders in engine.depth(side, LEVELS)}
        assert depth == {
            price: (sum(order.remaining for order in queue), len(queue)) for price, queue in other.queues[name].items()
        }
    for queue in [*other.queues[0].values(), *other.queues[1].values()]:
        for place, order in enumerate(queue):
            assert engine.quantity_ahead(order.id) == sum(before.remaining for before in queue[:place])


class LastInFirstOut(twin.MatchingEngine):
    """A wrong engine: the newest order of a level trades first."""

    def _take_queue(self, order: twin.Order, queue: list[twin.Order], half_ticks: int) -> None:
        queue.reverse()
        super()._take_queue(order, queue, half_ticks)
        queue.reverse()


class KeepsItsPlace(twin.MatchingEngine):
    """A wrong engine: amending up does not lose the place."""

    def _amend(self, wanted: twin.Order) -> None:
        order = self.live.get(wanted.id)
        if order is not None and order.price == wanted.price and wanted.remaining > order.remaining:
            order.remaining = wanted.remaining
        super()._amend(wanted)


@pytest.mark.parametrize("broken", [LastInFirstOut, KeepsItsPlace])
def test_a_wrong_engine_is_found(broken: type[twin.MatchingEngine]) -> None:
    print("seed 0")
    assert differences(some_operations(0), MatchingEngine(LOWEST, LEVELS), broken(LOWEST, LEVELS))


def test_lots_are_conserved() -> None:
    """Rested + traded by takers + refused + given back = asked for, over the whole run; pegs included."""
    rows = some_operations(99)
    rows = rows[rows["kind"] != OperationKind.AMEND]
    engine = MatchingEngine(LOWEST, LEVELS)
    asked = int(rows["quantity"][rows["kind"] != OperationKind.CANCEL].sum())
    taken = given_back = refused = standing = 0
    events = [MatchEvent(*event) for event in engine.apply(rows.view(np.uint8).reshape(-1, 24))]
    ids = {int(identity) for identity in rows["id"]}
    for event in events:
        taken += 2 * event.quantity * (event.kind == 1)
        given_back += event.quantity * (event.kind == 2)
        refused += event.quantity * (event.kind == 3)
    standing = sum(engine.open_quantity(identity) for identity in ids)
    assert asked == taken + given_back + refused + standing


def test_a_digest_tells_two_runs_apart() -> None:
    rows = some_operations(3).view(np.uint8).reshape(-1, 24)
    runs = [MatchingEngine(LOWEST, LEVELS).run(rows) for _ in range(2)]
    assert runs[0] == runs[1]
    assert MatchingEngine(LOWEST, LEVELS).run(rows[1:])[3] != runs[0][3]


@pytest.mark.parametrize("levels", [0, 63, 262_208])
def test_a_ladder_of_a_wrong_size_is_refused(levels: int) -> None:
    with pytest.raises(ValueError, match="levels must be a multiple of 64"):
        MatchingEngine(LOWEST, levels)
