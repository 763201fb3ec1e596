"""What the desk relies on in PostgreSQL and Redis, asked of the servers themselves."""

import asyncio

import asyncpg
import pytest
import redis.asyncio


async def test_a_commit_of_postgres_is_on_the_disk(fresh_database: str) -> None:
    connection = await asyncpg.connect(fresh_database)
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval(f"SHOW {setting}") == "on"
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    finally:
        await connection.close()


async def test_postgres_turns_away_a_wrong_password(fresh_database: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(fresh_database, password="wrong")


async def test_redis_keeps_a_value_until_its_time_and_no_longer(redis_url: str, redis_prefix: str) -> None:
    async with redis.asyncio.from_url(redis_url) as client:
        await client.set(f"{redis_prefix}quote", b"101.25", px=150)
        assert await client.get(f"{redis_prefix}quote") == b"101.25"
        await asyncio.sleep(0.3)
        assert await client.get(f"{redis_prefix}quote") is None
