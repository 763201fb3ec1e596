"""A made-up market is published the way LOBSTER publishes: only what happens within so many levels. Then it is read."""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from bestex.adapters.marketdata.lobster import LobsterSource, read_lobster
from bestex.adapters.marketdata.source import Layout, MarketData
from bestex.native.rows import ASK, BID, L3Kind

LEVELS = 3
EVENTS = 400
Top = tuple[int, int, int, int]  # ask, its size, bid, its size; 0 where empty


@dataclass
class MadeUpMarket:
    """Orders by id, every event applied, but only events within LEVELS levels written down."""

    random: Random
    orders: dict[int, list[int]] = field(default_factory=dict)  # id: direction, ticks, size, was its add published
    messages: list[str] = field(default_factory=list)
    tops: list[Top] = field(default_factory=list)
    opening: str = ""
    ghosts: int = 0
    late: int = 0
    next_id: int = 1

    def levels(self, direction: int) -> list[int]:
        """Prices of one side, best first."""
        prices = {order[1] for order in self.orders.values() if order[0] == direction}
        return sorted(prices, reverse=direction == 1)

    def size_at(self, direction: int, ticks: int) -> int:
        return sum(order[2] for order in self.orders.values() if order[:2] == [direction, ticks])

    def is_seen(self, direction: int, ticks: int) -> bool:
        better = [price for price in self.levels(direction) if (price - ticks) * direction > 0]
        return len(better) < LEVELS

    def say(self, kind: int, order_id: int, size: int, ticks: int, direction: int) -> None:
        time = 34_200 + len(self.messages) / 8
        self.messages.append(f"{time},{kind},{order_id},{size},{ticks * 100},{direction}")
        if not self.opening:
            cells = []
            for level in range(LEVELS):
                for side in (-1, 1):
                    prices = self.levels(side)
                    price = prices[level] if level < len(prices) else 0
                    cells += [price * 100 or side * -9_999_999_999, self.size_at(side, price)]
            self.opening = ",".join(map(str, cells))
        asks, bids = self.levels(-1), self.levels(1)
        top = (
            asks[0] if asks else 0,
            self.size_at(-1, asks[0]) if asks else 0,
            bids[0] if bids else 0,
            self.size_at(1, bids[0]) if bids else 0,
        )
        if not self.tops or self.tops[-1] != top:
            self.tops.append(top)

    def add(self) -> None:
        direction = self.random.choice((1, -1))
        other = self.levels(-direction)
        from_other = self.random.choice((1, 1, 2, 3, 4, 5, 6))
        ticks = (other[0] if other else 10_000) - direction * from_other
        is_seen = self.is_seen(direction, ticks)
        size = self.random.randrange(1, 60)
        self.orders[self.next_id] = [direction, ticks, size, int(is_seen)]
        if is_seen:
            self.say(1, self.next_id, size, ticks, direction)
        else:
            self.late += 1
        self.next_id += 1

    def take(self, order_id: int, kind: int) -> None:
        direction, ticks, size, was_published = self.orders[order_id]
        is_seen = self.is_seen(direction, ticks)
        if not is_seen and not was_published:
            return  # such an order would leave no trace at all: nobody could put it in
        taken = size if kind == 3 else self.random.randrange(1, size + 1)
        if taken == size:
            del self.orders[order_id]
        else:
            if not is_seen:
                return  # a size that changes out of sight cannot be known either
            self.orders[order_id][2] -= taken
        if is_seen:
            self.say(3 if kind == 2 and taken == size else kind, order_id, taken, ticks, direction)
        else:
            self.ghosts += 1

    def step(self) -> None:
        draw = self.random.random()
        if draw < 0.5 or len(self.orders) < 6:
            self.add()
        elif draw < 0.85:
            self.take(self.random.choice(list(self.orders)), self.random.choice((2, 3, 3)))
        else:
            direction = self.random.choice((1, -1))
            best = self.levels(direction)
            if len(best) > 1:
                front = min(key for key, order in self.orders.items() if order[:2] == [direction, best[0]])
                self.take(front, 4)

    def finish(self) -> None:
        """Every order left is deleted from the best price outwards, in sight, so that each is named."""
        for direction in (1, -1):
            for ticks in self.levels(direction):
                for order_id in [key for key, order in self.orders.items() if order[:2] == [direction, ticks]]:
                    self.take(order_id, 3)


def made_up(seed: int) -> MadeUpMarket:
    market = MadeUpMarket(Random(seed))
    for distance in range(1, LEVELS + 1):
        for direction in (1, -1):
            size = market.random.randrange(1, 60)
            market.orders[market.next_id] = [direction, 10_000 - direction * distance, size, 1]
            market.next_id += 1
    while len(market.messages) < EVENTS:
        market.step()
    market.finish()
    return market


def read(market: MadeUpMarket, folder: Path) -> MarketData:
    name = "TEST_2012-06-21_34200000_57600000"
    (folder / f"{name}_message_{LEVELS}.csv").write_text("\n".join(market.messages) + "\n")
    (folder / f"{name}_orderbook_{LEVELS}.csv").write_text(market.opening + "\n")
    level1 = []
    for ask, ask_size, bid, bid_size in market.tops:
        level1.append(f"{ask * 100 or 9_999_999_999},{ask_size},{bid * 100 or -9_999_999_999},{bid_size}")
    (folder / f"{name}_orderbook_1.csv").write_text("\n".join(level1) + "\n")
    return read_lobster(
        LobsterSource(
            messages=folder / f"{name}_message_{LEVELS}.csv",
            book=folder / f"{name}_orderbook_{LEVELS}.csv",
            level1=folder / f"{name}_orderbook_1.csv",
            layout=Layout.L3,
        )
    )


def tops_of(data: MarketData, *, without_ghosts_removed: bool = False) -> list[Top]:
    """Distinct states of best ask and bid, from a plain dictionary."""
    opening = data.report.repaired.get("opening level", 0) + data.report.repaired.get("older order", 0)
    ghosts = {
        (repair.time_ns, int(repair.reason.split()[1].rstrip(":")))
        for repair in data.report.repairs
        if repair.kind == "ghost"
    }
    levels: dict[int, dict[int, int]] = {BID: {}, ASK: {}}
    tops: list[Top] = []
    for index, (time_ns, order_id, price, lots, kind, side, _) in enumerate(data.rows.tolist()):
        if without_ghosts_removed and kind == L3Kind.CANCEL and (time_ns, order_id) in ghosts:
            continue
        at = levels[side]
        at[price] = at.get(price, 0) + (lots if kind == L3Kind.ADD else -lots)
        assert at[price] >= 0
        if at[price] == 0:
            del at[price]
        if index < opening:
            continue
        ask, bid = min(levels[ASK], default=0), max(levels[BID], default=0)
        top = (ask // 2, levels[ASK].get(ask, 0), bid // 2, levels[BID].get(bid, 0))
        if not tops or top != tops[-1]:
            tops.append(top)
    return tops


EQUAL = "level-1 states equal to the published ones"


@pytest.mark.parametrize("seed", range(40))
def test_every_best_quote_that_is_reported_as_equal_is_equal(seed: int, tmp_path: Path) -> None:
    print(f"seed {seed}")
    market = made_up(seed)
    data = read(market, tmp_path)
    equal = data.report.facts[EQUAL]
    tops = tops_of(data)
    assert tops[:equal] == market.tops[:equal]
    if equal == data.report.quotes:
        assert tops == market.tops
    else:
        assert any("differs after" in caveat for caveat in data.report.caveats)


def test_most_made_up_markets_are_put_together_whole_and_a_reader_that_keeps_ghosts_is_caught(tmp_path: Path) -> None:
    hidden = whole = caught = 0
    for seed in range(40):
        market = made_up(seed)
        hidden += market.ghosts > 0 and market.late > 0
        data = read(market, tmp_path)
        whole += tops_of(data) == market.tops
        caught += tops_of(data, without_ghosts_removed=True) != market.tops
    print(f"seeds 0-39: {hidden} hide orders, {whole} whole, {caught} caught")
    assert hidden > 35
    assert whole >= 36
    assert caught > 20
