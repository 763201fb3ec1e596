"""The market of an instrument, for whatever needs one; reference data may know instruments that have none here."""

from bestex.api.access import Access
from bestex.domain.errors import InvalidOrder
from bestex.domain.market import MarketSnapshot


def has_market(access: Access, instrument_id: str) -> bool:
    return any(item.instrument_id == instrument_id for item in access.market.instruments())


def market_now(access: Access, instrument_id: str) -> MarketSnapshot:
    """The consolidated market now.

    Raises:
        NotFound: if nobody knows the instrument.
        InvalidOrder: if it is known, and has no market here.
    """
    access.reference.instrument(instrument_id)
    if not has_market(access, instrument_id):
        traded = ", ".join(item.instrument_id for item in access.market.instruments())
        raise InvalidOrder(
            f"instrument {instrument_id} is known, but has no market here: no quotes, nowhere to send an order; "
            f"markets here: {traded}",
            field="instrument_id",
            value=instrument_id,
            expected=f"an instrument with a market: {traded}",
        )
    return access.market.snapshot(instrument_id)
