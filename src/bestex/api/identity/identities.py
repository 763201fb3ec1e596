"""Who asks: a subject, the tenant it belongs to, and what it may do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bestex.domain.tenants import HOUSE, MARK


class Role(StrEnum):
    TRADER = "trader"
    DESK_HEAD = "desk_head"
    RISK = "risk"
    QUANT = "quant"
    OPERATOR = "operator"
    READ_ONLY = "read_only"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whom a credential stands for. It says nothing that the client could have chosen."""

    subject: str
    tenant: str
    roles: frozenset[Role]
    credential: str  # id of the key, or of the token; never the credential itself
    by_token: bool = False
    account: str  # whom rate limits count together
    expires_ns: int | None  # UTC; None = does not

    @property
    def actor(self) -> str:
        """The name under which it acts: no two subjects of different tenants share one."""
        return self.subject if self.tenant == HOUSE else f"{self.tenant}{MARK}{self.subject}"


LOCAL: Final = Identity(
    subject="local",
    tenant=HOUSE,
    roles=frozenset(Role),
    credential="none",
    account=f"{HOUSE}/local",
    expires_ns=None,
)
"""Whoever reaches a desk without identities, which listens on loopback only."""
