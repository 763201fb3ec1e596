"""Imported by the process that warm services are forked from: what a service would load lazily at its start."""

import alembic.command  # noqa: F401
import asyncpg  # noqa: F401
import pulsar.asyncio  # noqa: F401
import sqlalchemy.dialects.postgresql.asyncpg  # noqa: F401
import uvloop  # noqa: F401

import bestex.api.application
import bestex.app.serve_separate
import bestex.cli  # noqa: F401
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference
from tests.scenarios.event_time import TEN_NS

MARKET = GeneratedReference(GeneratedMarket(seed=1, start_ns=TEN_NS))  # the exchange calendars stay with the process
