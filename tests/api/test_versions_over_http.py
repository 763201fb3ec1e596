"""If-Match on an order's changes, as a client of the API sees it."""

import httpx2
import pytest

V1 = "/api/v1"
ORDER = {
    "order_id": "versioned",
    "instrument_id": "AAPL",
    "side": "BUY",
    "quantity": 2000,
    "order_type": "LIMIT",
    "price": 1.0,  # far from the market: nothing fills while the test looks
    "algorithm": "TWAP",
    "execution_instructions": {"max_participation_rate": 0.1},
}


async def sent(client: httpx2.AsyncClient) -> str:
    """The ETag of an order that waits."""
    assert (await client.post(f"{V1}/orders", json=ORDER)).status_code == 201
    reply = await client.get(f"{V1}/orders/versioned")
    assert reply.headers["etag"] == f'"{reply.json()["version"]}"'
    return reply.headers["etag"]


async def test_a_change_for_the_version_that_was_read_goes_through_and_gives_the_next(
    client: httpx2.AsyncClient,
) -> None:
    etag = await sent(client)
    reply = await client.post(f"{V1}/orders/versioned/modify", json={"quantity": 1500}, headers={"If-Match": etag})
    assert reply.status_code == 200, reply.text
    assert reply.headers["etag"] == f'"{reply.json()["version"]}"' != etag
    late = await client.post(f"{V1}/orders/versioned/modify", json={"quantity": 1600}, headers={"If-Match": etag})
    assert late.status_code == 412
    problem = late.json()
    assert (problem["code"], problem["errors"][0]["field"]) == ("outdated", "If-Match")
    late = await client.put(f"{V1}/orders/versioned/cancel", headers={"If-Match": etag})
    assert late.status_code == 412
    assert (await client.get(f"{V1}/orders/versioned")).json()["quantity"] == 1500
    for header in ({"If-Match": "*"}, {}):
        reply = await client.post(f"{V1}/orders/versioned/modify", json={"quantity": 1700}, headers=header)
        assert reply.status_code == 200, reply.text


async def test_a_repeated_key_gets_its_first_answer_whatever_the_version_is_by_now(client: httpx2.AsyncClient) -> None:
    etag = await sent(client)
    headers = {"If-Match": etag, "Idempotency-Key": "k1"}
    first = await client.post(f"{V1}/orders/versioned/modify", json={"quantity": 1500}, headers=headers)
    again = await client.post(f"{V1}/orders/versioned/modify", json={"quantity": 1500}, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()


@pytest.mark.parametrize("header", ["7", 'W/"7"', '"0"', '"-1"', '"1", "2"', '"' + "9" * 25 + '"', '"x"', ""])
async def test_a_header_that_is_no_version_is_refused_by_name(client: httpx2.AsyncClient, header: str) -> None:
    await sent(client)
    reply = await client.put(f"{V1}/orders/versioned/cancel", headers={"If-Match": header})
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["field"] == "If-Match"
