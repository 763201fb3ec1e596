"""The cache of a process: in memory, or with Redis behind it where `cache_url` is set."""

from bestex.adapters.cache.cashews_cache import CashewsCache
from bestex.api.kept import NAMESPACES
from bestex.app.settings import Settings


async def open_cache(settings: Settings) -> CashewsCache:
    """Opens also while Redis is away."""
    url = settings.cache_url
    return await CashewsCache.open(
        tuple(NAMESPACES.values()), redis_url=None if url is None else url.get_secret_value()
    )
