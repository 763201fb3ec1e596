"""Whose an order is: the tenant is part of its id, so nobody can name an order of somebody else.

An order of the house's own tenant is `ID`; of any other it is `TENANT~ID`. Clients may leave their own tenant out.
What clients send never holds another tenant's name: it is put before whatever they send.
"""

import re
from dataclasses import dataclass
from typing import Final

from bestex.domain.errors import InvalidInput, NotFound

HOUSE: Final = "default"  # the tenant of the desk itself, and of a desk without identities
MARK: Final = "~"  # in no id that a client may choose
_TENANT = re.compile(r"[a-z0-9][a-z0-9\-]{0,15}")


def checked_tenant(text: str) -> str:
    """The text itself, if it can name a tenant. Raises InvalidInput."""
    if not _TENANT.fullmatch(text):
        raise InvalidInput(
            f"{text[:40]!r} cannot name a tenant",
            field="tenant",
            value=text[:40],
            expected="1 to 16 lower-case letters, digits or '-', first a letter or digit",
        )
    return text


def tenant_of(order_id: str) -> str:
    """The tenant of a full order id. What concerns the desk as a whole is the house's."""
    tenant, mark, _ = order_id.partition(MARK)
    return tenant if mark else HOUSE


def qualified(tenant: str, order_id: str) -> str:
    """The full id of what a client of this tenant calls `order_id`; a full id of its own stays as it is.

    Raises:
        NotFound: if the house's client names another tenant's order: to it there is none.
    """
    if tenant == HOUSE:
        if MARK in order_id:
            raise NotFound(f"no order {order_id[:120]}", field="order_id", value=order_id[:120])
        return order_id
    return order_id if order_id.startswith(tenant + MARK) else f"{tenant}{MARK}{order_id}"


@dataclass(frozen=True)
class OfTenant:
    """In `Store.find`: any full order id of this tenant."""

    tenant: str

    def holds(self, order_id: str) -> bool:
        return tenant_of(order_id) == self.tenant
