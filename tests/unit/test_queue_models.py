"""The comparison of queue models with the exact queue."""

from pathlib import Path

import numpy as np

from benchmarks.flow import generate
from benchmarks.queue_models import NEVER, compare, filled_at, orders
from bestex.native.replay import QueueModel
from bestex.native.tape import build_tape


def test_errors_are_counted_over_orders_filled_in_both_books() -> None:
    exact = np.array([1_000_000_000, 5_000_000_000, NEVER, NEVER, 7])
    modelled = np.array([1_000_000_000, 3_000_000_000, 9, NEVER, NEVER])
    assert compare(exact, modelled) == {
        "orders": 5,
        "filled_in_both": 2,
        "same_event": 0.5,
        "mean_error_s": 1.0,
        "filled_in_one_only": 2,
    }


def test_the_exact_queue_has_no_use_for_a_model_and_the_modelled_ones_differ(tmp_path: Path) -> None:
    seed = 3
    print(f"seed {seed}")
    flow = generate(n=200_000, seed=seed)
    exact, modelled = (
        build_tape(rows, tmp_path / name, instrument_id="FLOW") for rows, name in ((flow.l3, "l3"), (flow.l2, "l2"))
    )
    crowd = orders(300, seed)
    truth = [filled_at(exact, crowd, model) for model in QueueModel]
    assert all((truth[0] == other).all() for other in truth)
    found = {model: compare(truth[0], filled_at(modelled, crowd, model)) for model in QueueModel}
    assert all(row["filled_in_both"] > 100 for row in found.values())
    assert all(0.4 < row["same_event"] < 1 for row in found.values())
    assert len({row["mean_error_s"] for row in found.values()}) == len(QueueModel)
