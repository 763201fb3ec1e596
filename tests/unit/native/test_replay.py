"""Many worlds in one pass: alone equals together, nothing is lost, nothing is filled twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.flow import Flow, generate
from bestex.domain.errors import InvalidInput
from bestex.native.decision import AlgorithmCode, SideCode, StyleCode
from bestex.native.replay import QueueModel, Replay, ReplayConfig, ReplayParent, ReplayResult
from bestex.native.rows import ASK, BID, L3_ROWS, L3Kind
from bestex.native.tape import Tape, build_tape

SEED = 11
CONFIG = ReplayConfig(
    feed_delay_ns=500_000,
    order_delay_ns=500_000,
    report_delay_ns=700_000,
    maker_fee=-2_000,
    taker_fee=3_000,
    keep_fills=True,
)


@pytest.fixture(scope="module")
def flow() -> Flow:
    return generate(n=60_000, seed=SEED)


@pytest.fixture(scope="module", params=["l3", "l2"])
def tape(request: pytest.FixtureRequest, flow: Flow, tmp_path_factory: pytest.TempPathFactory) -> Tape:
    path = tmp_path_factory.mktemp("tapes") / f"{request.param}.tape"
    return build_tape(getattr(flow, request.param), path, instrument_id="FLOW")


def parents(tape: Tape, count: int, *, worlds: int) -> list[ReplayParent]:
    """Every algorithm and style, both sides, starting all over the day."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    print(f"seed {SEED}")
    first, last = tape.metadata.first_time_ns, tape.metadata.last_time_ns
    made = []
    for i in range(count):
        start = first + int(rng.integers(0, (last - first) * 3 // 4))
        made.append(
            ReplayParent(
                world=i % worlds,
                side=SideCode(int(rng.integers(2))),
                quantity=int(rng.integers(1, 60)) * 100,
                start_ns=start,
                end_ns=start + int(rng.integers(60, 5_000)) * 1_000_000_000,
                slices=int(rng.integers(1, 40)),
                algorithm=AlgorithmCode(i % 4),
                style=StyleCode(i // 4 % 4),
                participation_rate=0.1 if i % 4 == 2 else 1.0,
            )
        )
    return made


def test_each_of_1000_worlds_is_the_same_alone_and_together(tape: Tape) -> None:
    all_parents = parents(tape, 1_000, worlds=1_000)
    together = Replay(tape, CONFIG).run(all_parents)
    for i, parent in enumerate(all_parents):
        alone = Replay(tape, CONFIG).run([replace(parent, world=0)])
        assert alone.worlds[0] == together.worlds[i], f"world {i}"
        assert alone.parents[0] == together.parents[i], f"world {i}"


def test_parents_that_share_a_world_are_not_the_same_as_alone(tape: Tape) -> None:
    crowd = [replace(parent, world=0, style=StyleCode.AGGRESSIVE) for parent in parents(tape, 300, worlds=1)]
    shared = Replay(tape, CONFIG).run(crowd)
    apart = Replay(tape, CONFIG).run([replace(parent, world=i) for i, parent in enumerate(crowd)])
    assert (shared.parents["notional_half_ticks"] != apart.parents["notional_half_ticks"]).any()


def test_planned_is_always_filled_plus_returned_and_never_more_than_ordered(tape: Tape) -> None:
    result = Replay(tape, CONFIG).run(parents(tape, 400, worlds=40))
    found = result.parents
    assert (found["planned"] == found["filled"] + found["returned"]).all()
    assert (found["filled"] <= found["quantity"]).all()
    assert found["filled"].sum() == result.worlds["filled"].sum() == result.fills["quantity"].sum() > 0
    assert (np.bincount(result.fills["parent"], result.fills["quantity"], len(found)) == found["filled"]).all()
    notional = np.bincount(
        result.fills["parent"], result.fills["quantity"] * result.fills["price_half_ticks"], len(found)
    )
    assert (notional == found["notional_half_ticks"]).all()
    rates = np.where(result.fills["liquidity"] == 0, CONFIG.maker_fee, CONFIG.taker_fee)
    assert result.fills["quantity"] @ rates == found["fees"].sum()


def test_market_slices_on_both_layouts_are_the_same_fill_by_fill(flow: Flow, tmp_path: Path) -> None:
    tapes = [
        build_tape(rows, tmp_path / f"{i}.tape", instrument_id="FLOW") for i, rows in enumerate((flow.l3, flow.l2))
    ]
    crowd = [replace(p, style=StyleCode.AGGRESSIVE, quantity=600) for p in parents(tapes[0], 200, worlds=200)]
    by_order, by_level = (Replay(tape, CONFIG).run(crowd).worlds["fill_hash"] for tape in tapes)
    assert (by_order == by_level).mean() > 0.98  # they differ where a claim meets a cancel that only L3 can place


def test_no_world_gets_more_from_one_trade_than_it_traded(flow: Flow, tape: Tape) -> None:
    crowd = [replace(p, style=StyleCode.PASSIVE, quantity=5_000) for p in parents(tape, 300, worlds=30)]
    fills = Replay(tape, CONFIG).run(crowd).fills
    passive = fills[fills["liquidity"] == 0]
    assert len(passive) > 100
    row_of_time = tape.trades(0, 2**62, limit=10**7)
    most = {
        int(time): int(row_of_time["quantity"][row_of_time["time_ns"] == time].sum())
        for time in set(passive["time_ns"].tolist())
    }
    adds = flow.l3[flow.l3["kind"] == L3Kind.ADD]
    for world in range(30):
        mine = passive[passive["world"] == world]
        for row in set(mine["row"].tolist()):
            of_row = mine[mine["row"] == row]
            time = int(of_row["time_ns"][0])
            arrived = int(adds["quantity"][adds["time_ns"] == time].sum())
            assert int(of_row["quantity"].sum()) <= max(most[time], arrived)


def test_a_report_is_never_younger_than_the_data_beside_it(tape: Tape) -> None:
    crowd = parents(tape, 50, worlds=50)
    slow = Replay(tape, replace(CONFIG, report_delay_ns=0)).run(crowd)
    clamped = Replay(tape, replace(CONFIG, report_delay_ns=CONFIG.feed_delay_ns)).run(crowd)
    assert (slow.worlds == clamped.worlds).all()


def test_the_queue_model_matters_by_levels_only(tape: Tape) -> None:
    crowd = [replace(p, style=StyleCode.PASSIVE) for p in parents(tape, 100, worlds=100)]
    hashes = [Replay(tape, replace(CONFIG, queue_model=model)).run(crowd).worlds["fill_hash"] for model in QueueModel]
    differ = any((hashes[0] != other).any() for other in hashes[1:])
    assert differ == (tape.metadata.level == 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": 0}, "parents[0].quantity"),
        ({"slices": 0}, "parents[0].slices"),
        ({"end_ns": 0}, "parents[0].end_ns"),
        ({"participation_rate": 0.0}, "parents[0].participation_rate"),
        ({"child_quantity_max": 0}, "parents[0].child_quantity_max"),
        ({"curve": np.array([0.5, 0.4]), "slices": 2}, "parents[0].curve"),
    ],
)
def test_a_parent_that_cannot_be_worked_is_named(tape: Tape, changes: dict[str, object], field: str) -> None:
    parent = replace(parents(tape, 1, worlds=1)[0], **changes)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as caught:
        Replay(tape).run([parent])
    assert caught.value.field == field


def test_a_world_without_parents_is_refused(tape: Tape) -> None:
    with pytest.raises(InvalidInput, match="number worlds 0, 1, 2"):
        Replay(tape).run([replace(parents(tape, 1, worlds=1)[0], world=3)])


def test_worlds_that_follow_the_price_are_the_same_alone_and_together(tape: Tape) -> None:
    crowd = [replace(p, follows_price=True) for p in parents(tape, 160, worlds=160)]
    crowd += [replace(p, world=160 + i) for i, p in enumerate(parents(tape, 160, worlds=160))]
    together = Replay(tape, CONFIG).run(crowd)
    asked_nothing = Replay(tape, CONFIG).run([replace(p, world=p.world - 160) for p in crowd[160:]])
    assert (together.worlds[160:] == asked_nothing.worlds).all()  # company that asks for prices changes nothing
    assert (together.worlds["fill_hash"][:160] != together.worlds["fill_hash"][160:]).any()
    for i, parent in enumerate(crowd[:160]):
        alone = Replay(tape, CONFIG).run([replace(parent, world=0)])
        assert alone.worlds[0] == together.worlds[i], f"world {i}"
        assert alone.parents[0] == together.parents[i], f"world {i}"
    found = together.parents
    assert (found["planned"] == found["filled"] + found["returned"]).all()
    assert (found["filled"] <= found["quantity"]).all()


ONE_DAY = 1_700_000_000_000_000_000


def one_parent(path: Path, rows: list[tuple[int, int, int, int, L3Kind, int]], **changes: object) -> ReplayResult:
    """Buys 10 in one slice from second 1 to 100; rows of (second, id, half ticks, quantity, kind, side)."""
    made = np.zeros(len(rows), L3_ROWS)
    for name, column in zip(
        ("time_ns", "order_id", "price_half_ticks", "quantity", "kind", "side"), zip(*rows, strict=True), strict=True
    ):
        made[name] = column
    made["time_ns"] = ONE_DAY + made["time_ns"] * 1_000_000_000
    parent = ReplayParent(
        side=SideCode.BUY,
        quantity=10,
        start_ns=ONE_DAY + 1_000_000_000,
        end_ns=ONE_DAY + 100_000_000_000,
        slices=1,
        follows_price=True,
    )
    config = ReplayConfig(feed_delay_ns=1_000, order_delay_ns=1_000, report_delay_ns=1_000, keep_fills=True)
    tape = build_tape(made, path / "t.tape", instrument_id="T")
    return Replay(tape, config).run([replace(parent, **changes)])  # type: ignore[arg-type]


QUOTE = [(0, 1, 200, 9, L3Kind.ADD, BID), (0, 2, 204, 50, L3Kind.ADD, ASK)]


def test_a_limit_order_trades_a_moment_after_the_price_has_come_to_its_limit(tmp_path: Path) -> None:
    rows = [
        *QUOTE,
        (20, 3, 204, 1, L3Kind.ADD, ASK),  # the same price again: nobody is woken
        (30, 4, 202, 50, L3Kind.ADD, ASK),
        (40, 4, 202, 50, L3Kind.CANCEL, ASK),
        (99, 9, 190, 1, L3Kind.ADD, BID),
    ]
    waits = one_parent(tmp_path, rows, style=StyleCode.AGGRESSIVE, limit_ticks=101)
    assert waits.fills[["quantity", "price_half_ticks"]].tolist() == [(10, 202)]
    assert waits.fills["time_ns"].tolist() == [ONE_DAY + 30_000_002_000]  # seen after 1 us, there after another
    blind = one_parent(tmp_path, rows, style=StyleCode.AGGRESSIVE, limit_ticks=101, follows_price=False)
    assert len(blind.fills) == 0


def test_rows_of_one_time_wake_nobody_when_the_price_is_back_where_it_was(tmp_path: Path) -> None:
    rows = [
        *QUOTE,
        (30, 4, 202, 50, L3Kind.ADD, ASK),
        (30, 4, 202, 50, L3Kind.CANCEL, ASK),
        (99, 9, 190, 1, L3Kind.ADD, BID),
    ]
    result = one_parent(tmp_path, rows, style=StyleCode.AGGRESSIVE, limit_ticks=101)
    assert result.parents["child_orders"][0] == 0


def test_a_passive_order_goes_with_the_touch_between_slices(tmp_path: Path) -> None:
    rows = [
        *QUOTE,
        (10, 3, 202, 4, L3Kind.ADD, BID),  # the touch moves up to 101
        (20, 3, 202, 4, L3Kind.FILL, BID),
        (30, 5, 202, 7, L3Kind.ADD, BID),
        (31, 5, 202, 7, L3Kind.FILL, BID),  # ours stands before it since second 10
        (99, 9, 190, 1, L3Kind.ADD, BID),
    ]
    follows = one_parent(tmp_path, rows, style=StyleCode.PASSIVE)
    assert follows.fills[["quantity", "price_half_ticks", "liquidity"]].tolist()[0] == (7, 202, 0)
    assert follows.fills["time_ns"].tolist()[0] == ONE_DAY + 31_000_000_000
    stays = one_parent(tmp_path, rows, style=StyleCode.PASSIVE, follows_price=False)
    assert 0 not in stays.fills["liquidity"].tolist()


def test_no_world_takes_more_at_a_price_than_the_tape_ever_shows_there(flow: Flow, tape: Tape) -> None:
    crowd = [replace(p, style=StyleCode.AGGRESSIVE, quantity=400_000) for p in parents(tape, 60, worlds=6)]
    fills = Replay(tape, CONFIG).run(crowd).fills
    takes = fills[fills["liquidity"] == 1]
    buys = np.array([parent.side is SideCode.BUY for parent in crowd])[takes["parent"]]
    adds = flow.l3[flow.l3["kind"] == L3Kind.ADD]
    tight = 0
    for world in range(6):
        for is_buy in (True, False):
            mine = takes[(takes["world"] == world) & (buys == is_buy)]
            shown = adds[adds["side"] == (ASK if is_buy else BID)]
            for price in set(mine["price_half_ticks"].tolist()):
                taken = int(mine["quantity"][mine["price_half_ticks"] == price].sum())
                most = int(shown["quantity"][shown["price_half_ticks"] == price].sum())
                assert taken <= most, (world, price)
                tight += 2 * taken > most
    assert tight > 0  # some prices were nearly emptied, so the bound means something
