"""Which venue each part of a quantity goes to. The same market and instruction always give the same answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bestex.domain.instruments import Instrument
from bestex.domain.market import MarketSnapshot, VenueQuote
from bestex.domain.orders import Side
from bestex.domain.venues import Venue
from bestex.quant.routing import filled_best_first, whole_shares
from bestex.services.algorithm.instruction import Instruction


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A part of a quantity, in lots, for one venue."""

    venue: str
    lots: int
    is_dark: bool = False


class Router:
    """The venues an instruction may use, and how it shares quantity among them."""

    def __init__(self, instruction: Instruction, venues: Sequence[Venue]) -> None:
        excluded = set(instruction.venue_exclusions)
        allowed = sorted(
            (venue for venue in venues if venue.venue_id not in excluded), key=lambda venue: venue.venue_id
        )
        self._rank = {venue: rank for rank, venue in enumerate(instruction.venue_preferences)}
        self._weights = instruction.venue_weights
        # A midpoint peg floats, so no price could hold it inside the client's limits.
        has_limits = instruction.price_min is not None or instruction.price_max is not None
        self._dark_ratio = 0.0 if has_limits else instruction.dark_ratio
        self.lit = tuple(venue.venue_id for venue in allowed if not venue.is_dark)
        self.dark = tuple(venue.venue_id for venue in allowed if venue.is_dark)

    def take(
        self,
        lots: int,
        side: Side,
        worst_price: Decimal,
        market: MarketSnapshot,
        instrument: Instrument,
        venues_max: int,
    ) -> list[Leg]:
        """Best price first, then preference, then displayed size; what nobody displays goes to the best of them.

        Empty where no venue may be used or none shows a price within `worst_price`.
        """
        if not market.venues:
            return [Leg(venue=self._preferred(), lots=lots)] if self.lit else []
        offers = sorted(
            (
                (side.sign * price, self._preference(quote.venue), -size, quote.venue)
                for quote in market.venues
                if quote.venue in self.lit
                for price, size in (_far_touch(quote, side),)
                if price is not None and side.sign * (price - worst_price) <= 0
            ),
        )[:venues_max]
        shown = [(venue, int(-negative_size / instrument.lot_size)) for _, _, negative_size, venue in offers]
        return [Leg(venue=venue, lots=quantity) for venue, quantity in filled_best_first(shown, lots).items()]

    def post(self, lots: int, side: Side, market: MarketSnapshot, lots_min: int, venues_max: int) -> list[Leg]:
        """The dark share first, the rest by weight over the lit venues, no leg below `lots_min` where it can be helped.

        Weights are the selection's; without any, the preferred venue, else the one that shows most at the near touch.
        """
        dark = int(lots * self._dark_ratio) if self.dark else 0
        legs = []
        if dark >= max(1, lots_min):
            legs.append(Leg(venue=self._dark_venue(), lots=dark, is_dark=True))
            lots -= dark
        if not self.lit or lots == 0:
            return legs
        weights = {venue: self._weights[venue] for venue in self.lit if self._weights.get(venue, 0) > 0}
        if not weights:
            return [*legs, Leg(venue=self._posting_venue(side, market), lots=lots)]
        heaviest = sorted(weights, key=lambda venue: (-weights[venue], self._preference(venue), venue))[:venues_max]
        while len(heaviest) > 1 and whole_shares(lots, [weights[venue] for venue in heaviest])[-1] < max(1, lots_min):
            heaviest.pop()
        shares = whole_shares(lots, [weights[venue] for venue in heaviest])
        return legs + [Leg(venue=venue, lots=share) for venue, share in zip(heaviest, shares, strict=True) if share > 0]

    def planned_venue(self, side: Side, market: MarketSnapshot) -> str:
        """The venue a plan names: the one that would be posted to now, a dark one where no other is allowed."""
        if not self.lit:
            return self._dark_venue() if self.dark else ""
        weights = {venue: self._weights[venue] for venue in self.lit if venue in self._weights}
        if weights:
            return min(weights, key=lambda venue: (-weights[venue], self._preference(venue), venue))
        return self._posting_venue(side, market)

    def _preference(self, venue: str) -> int:
        return self._rank.get(venue, len(self._rank))

    def _preferred(self) -> str:
        return min(self.lit, key=lambda venue: (self._preference(venue), venue))

    def _dark_venue(self) -> str:
        return min(self.dark, key=lambda venue: (-self._weights.get(venue, 0.0), self._preference(venue), venue))

    def _posting_venue(self, side: Side, market: MarketSnapshot) -> str:
        near = market.bid if side is Side.BUY else market.ask
        shown = {
            quote.venue: quote.bid_quantity if side is Side.BUY else quote.ask_quantity
            for quote in market.venues
            if near is not None and (quote.bid if side is Side.BUY else quote.ask) == near
        }
        return min(self.lit, key=lambda venue: (self._preference(venue), -shown.get(venue, Decimal(0)), venue))


def _far_touch(quote: VenueQuote, side: Side) -> tuple[Decimal | None, Decimal]:
    return (quote.ask, quote.ask_quantity) if side is Side.BUY else (quote.bid, quote.bid_quantity)
