"""Which bus an address means."""

from dataclasses import dataclass

from bestex.domain.errors import InvalidInput
from bestex.ports import Bus


@dataclass(frozen=True, kw_only=True)
class BusAddress:
    """Where a bus is.

    `url` is `pulsar://HOST:PORT` (with `admin_url`, `http://HOST:PORT`), `postgresql://USER:PASSWORD@HOST:PORT/NAME` or
    `sqlite:///FILE`. `namespace` is Pulsar's tenant and namespace; on PostgreSQL its last part is the schema.
    """

    url: str
    admin_url: str | None = None
    namespace: str = "public/bestex"
    shards: int = 4

    def __str__(self) -> str:
        from bestex.adapters.sql.database import without_password

        return without_password(self.url)


async def open_bus(address: BusAddress) -> Bus:
    """Connect.

    Raises:
        InvalidInput: if the address is of no known bus, or something of it is missing.
        BusUnavailable: if nobody answers there.
    """
    if address.url.startswith("pulsar"):
        from bestex.adapters.pulsar.bus import PulsarBus

        if address.admin_url is None:
            raise InvalidInput(
                "Pulsar needs the address of its administration too (BESTEX_BUS_ADMIN_URL)",
                field="bus.admin_url",
                expected="http://HOST:PORT",
            )
        return await PulsarBus.open(address.url, address.admin_url, address.shards, namespace=address.namespace)
    if address.url.startswith(("postgresql", "sqlite")):
        from bestex.adapters.sql.bus import SqlBus

        return await SqlBus.open(address.url, address.shards, schema=schema_of(address.namespace))
    raise InvalidInput(
        f"bus url {str(address)!r} is of no known bus",
        field="bus.url",
        value=str(address),
        expected="pulsar://HOST:PORT, postgresql://USER:PASSWORD@HOST:PORT/NAME or sqlite:///FILE",
    )


def schema_of(namespace: str) -> str:
    """The schema on PostgreSQL that stands for a namespace."""
    return namespace.rpartition("/")[2].replace("-", "_")
