"""The addresses of what is running: environment lines to paste, and a TOML file."""

import json
from collections.abc import Mapping

from . import postgres, pulsar, redis
from .processes import Running


def addresses(servers: Mapping[str, Running], password: str) -> dict[str, dict[str, str]]:
    """Section -> name -> address, as `bestex serve` is configured; absent servers are left out."""
    found: dict[str, dict[str, str]] = {}
    if server := servers.get(postgres.NAME):
        found["store"] = {"url": postgres.url(server, password)}
    if server := servers.get(pulsar.NAME):
        url, admin_url = pulsar.urls(server)
        found["bus"] = {"url": url, "admin_url": admin_url}
    if server := servers.get(redis.NAME):
        found["cache"] = {"url": redis.url(server, password)}
    return found


def variables_of_desk(found: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """`BESTEX_STORE_URL` and its like."""
    return {f"BESTEX_{section}_{name}".upper(): url for section, names in found.items() for name, url in names.items()}


TEST_NAMES = {
    "BESTEX_STORE_URL": "BESTEX_TEST_POSTGRES_URL",
    "BESTEX_CACHE_URL": "BESTEX_TEST_REDIS_URL",
    "BESTEX_BUS_URL": "BESTEX_TEST_PULSAR_URL",
    "BESTEX_BUS_ADMIN_URL": "BESTEX_TEST_PULSAR_ADMIN_URL",
}


def variables_of_tests(found: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The same addresses under the names that the tests read."""
    return {TEST_NAMES[name]: url for name, url in variables_of_desk(found).items()}


def toml(found: Mapping[str, Mapping[str, str]]) -> str:
    sections = (
        f"[{section}]\n" + "".join(f"{name} = {json.dumps(url)}\n" for name, url in names.items())
        for section, names in found.items()
    )
    return "# Written by `make services`; changes are overwritten.\n\n" + "\n".join(sections)
