"""The displayed book while messages are read in Python: price levels only, as far as readers need it."""

from bisect import bisect_left, bisect_right, insort

BUY, SELL = 1, -1  # direction of the resting order


class LevelBook:
    """Displayed quantity by side and price. Prices in any integer unit."""

    def __init__(self) -> None:
        self._quantities: dict[tuple[int, int], int] = {}  # (direction, price)
        self._prices: dict[int, list[int]] = {BUY: [], SELL: []}  # ascending

    def quantity(self, direction: int, price: int) -> int:
        return self._quantities.get((direction, price), 0)

    def change(self, direction: int, price: int, quantity: int) -> None:
        """Add to a level; a negative quantity takes off.

        Raises:
            AssertionError: if more is taken off than stands there.
        """
        key = (direction, price)
        before = self._quantities.get(key, 0)
        after = before + quantity
        assert after >= 0, f"{-quantity} taken off a level of {before} at {price}"
        if after == before:
            return
        if after == 0:
            del self._quantities[key]
            prices = self._prices[direction]
            prices.pop(bisect_left(prices, price))
        else:
            self._quantities[key] = after
            if before == 0:
                insort(self._prices[direction], price)

    def best(self, direction: int) -> int | None:
        prices = self._prices[direction]
        return None if not prices else prices[-1] if direction == BUY else prices[0]

    def at_rank(self, direction: int, rank: int) -> int | None:
        """Price of the level that has `rank - 1` better ones; None when there are fewer levels."""
        prices = self._prices[direction]
        return None if len(prices) < rank else prices[-rank] if direction == BUY else prices[rank - 1]

    def prices(self, direction: int) -> list[int]:
        """All prices of one side, ascending."""
        return list(self._prices[direction])

    def better_than(self, direction: int, price: int) -> list[int]:
        """Prices strictly better than `price`."""
        prices = self._prices[direction]
        return prices[bisect_right(prices, price) :] if direction == BUY else prices[: bisect_left(prices, price)]

    def top(self) -> tuple[int | None, int, int | None, int]:
        """Ask, its quantity, bid, its quantity; None and 0 where a side is empty."""
        ask, bid = self.best(SELL), self.best(BUY)
        return (
            ask,
            0 if ask is None else self._quantities[SELL, ask],
            bid,
            0 if bid is None else self._quantities[BUY, bid],
        )
