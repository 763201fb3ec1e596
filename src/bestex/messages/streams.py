"""Where a message travels: topics, shards, and the headers that a reader needs before it decodes anything.

Facts about a parent order travel on one topic in one shard, so that everything about the order has one total order.
A request to a service travels on that service's own topic, in the shard of its order: whoever holds the shard answers.
"""

import zlib

ORDERS = "orders"  # facts, sharded by order id
DESK = "desk"  # facts of no single order ("desk", "venue:..."): one shard, heard by every worker
ANSWERS = "answers"  # to requests, sharded by the process that asked: its key
MARKET = "market"  # the market's time and consolidated snapshots: one shard, only the newest matters
OPERATIONS = "operations"  # what operators did to the bus itself: one shard


def requests_of(service: str) -> str:
    """Topic of the requests to a service."""
    return f"requests-{service}"


def is_of_an_order(key: str) -> bool:
    """Whether a key is a parent order's id; the others are `desk` and `venue:<id>`."""
    return key != DESK and not key.startswith("venue:")


def topic_of(key: str) -> str:
    """The topic of a fact by its ordering key."""
    return ORDERS if is_of_an_order(key) else DESK


def shard_of(key: str, shards: int) -> int:
    """The shard of an ordering key, in [0, shards); the same in every process and language (CRC-32 of UTF-8)."""
    return zlib.crc32(key.encode()) % shards
