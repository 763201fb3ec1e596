"""Watches how late the event loop wakes its sleepers: whatever holds it delays every order of the process."""

import asyncio

import structlog

from bestex.app import metrics

log = structlog.get_logger()

_EVERY_SECONDS = 0.05
_WARN_SECONDS = 0.05
_WARN_EVERY_SECONDS = 5.0  # one line for what happens within


async def watch_loop_lag() -> None:
    """For ever. A lag of 50 ms or more is counted, and said at most every 5 s."""
    loop = asyncio.get_running_loop()
    said = -_WARN_EVERY_SECONDS
    while True:
        asked = loop.time()
        await asyncio.sleep(_EVERY_SECONDS)
        lag = max(0.0, loop.time() - asked - _EVERY_SECONDS)
        metrics.LOOP_LAG_SECONDS.observe(lag)
        if lag >= _WARN_SECONDS:
            metrics.LOOP_STALLS.inc()
            if loop.time() - said >= _WARN_EVERY_SECONDS:
                said = loop.time()
                log.warning("event loop was held", milliseconds=round(lag * 1e3))
