"""Abuse cases of requests: what no client should send gets a short 4xx, leaves nothing behind, and hurts nobody else."""

import asyncio
import time

import httpx2
import pytest
import uvicorn

from bestex.app import http_server
from tests.security.conftest import Guarded, order

V1 = "/api/v1"
JSON = {"content-type": "application/json"}


def body(quantity: str) -> bytes:
    return (
        f'{{"order_id":"bad","instrument_id":"AAPL","side":"BUY","quantity":{quantity},"algorithm":"TWAP",'
        '"execution_instructions":{"execution_style":"BALANCED"}}'
    ).encode()


NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "1E+999999",
    "true",
    '"100"',
    "-0",
    "9" * 5_000,
    "0." + "1" * 40,
    "-1",
    "0",
)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:12])
async def test_a01_a03_a_number_that_is_none_is_refused_at_once(guarded: Guarded, number: str) -> None:
    head = guarded.client()
    start = time.process_time()
    reply = await head.post(f"{V1}/orders", content=body(number), headers=JSON)
    assert time.process_time() - start < 0.5
    assert reply.status_code == 422, reply.text
    assert len(reply.text) < 2_000
    assert (await head.get(f"{V1}/orders")).json()["items"] == []


BODIES = {
    "a key twice": body("1").replace(b'"side"', b'"side":"SELL","side"'),
    "an unknown key": body("1").replace(b'"side"', b'"colour":1,"side"'),
    "deep": b"[" * 60_000,
    "not UTF-8": body("1").replace(b"AAPL", b"\xff\xfe"),
    "BOM": b"\xef\xbb\xbf" + body("1"),
    "NUL": body("1").replace(b"AAPL", b"AA\\u0000L"),
    "large": b'{"a":"' + b"x" * 1_000_000 + b'"}',
}


@pytest.mark.parametrize("case", BODIES)
async def test_a02_a_body_that_is_none_is_refused_and_the_desk_goes_on(guarded: Guarded, case: str) -> None:
    head = guarded.client()
    reply = await head.post(f"{V1}/orders", content=BODIES[case], headers=JSON)
    assert reply.status_code in (400, 413, 422), reply.text
    assert (await head.post(f"{V1}/orders", json=order("good"))).status_code == 201


async def test_a04_a_hundred_at_once_with_one_key_are_one_order(guarded: Guarded) -> None:
    head, other = guarded.client(), guarded.client("trader")
    headers = {"Idempotency-Key": "k"}
    sent = {name: value for name, value in order("x").items() if name != "order_id"}
    answers = await asyncio.gather(*(head.post(f"{V1}/orders", json=sent, headers=headers) for _ in range(100)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["order_id"] for answer in answers if answer.status_code == 201}) == 1
    assert (await head.post(f"{V1}/orders", json=sent | {"quantity": 100}, headers=headers)).status_code == 422
    assert (await other.post(f"{V1}/orders", json=sent, headers=headers)).status_code == 201
    assert len((await head.get(f"{V1}/orders")).json()["items"]) == 2


@pytest.mark.parametrize(
    "field", ["status", "filled_qty", "tenant_id", "tenant", "risk_override", "created_at", "actor"]
)
async def test_a08_a_field_that_is_the_desk_s_own_is_refused(guarded: Guarded, field: str) -> None:
    reply = await guarded.client().post(f"{V1}/orders", json=order("bad") | {field: "zenith"})
    assert reply.status_code == 422
    assert field in [item["field"] for item in reply.json()["errors"]]


@pytest.mark.parametrize(
    "name", ["a\r\nlevel=error", "\x1b[31mred", "\u202egnp.exe", "<img onerror=x>", "=HYPERLINK(1)"]
)
async def test_a18_what_is_no_id_is_refused_and_stands_in_no_line_of_the_log(
    guarded: Guarded, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    reply = await guarded.client().post(f"{V1}/orders", json=order(name), headers={"x-request-id": "a;b"})
    assert reply.status_code == 422
    assert reply.headers["x-request-id"].startswith("req_")
    written = capsys.readouterr().out
    assert name not in written
    assert "\x1b[31m" not in written
    lines = (await guarded.client("risk").get(f"{V1}/desk/audit")).json()["items"]
    assert [line["about_order"] for line in lines] == [None]


async def test_a25_no_answer_and_no_log_holds_a_secret(guarded: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    secrets = [text for _, text in guarded.keys.values()]
    said = []
    for credential in (secrets[0], secrets[7], secrets[7] + "x"):
        client = guarded.holding(credential)
        for method, path in (
            ("GET", "/orders/none"), ("POST", "/orders"), ("GET", "/desk"), ("PUT", "/orders/x/cancel"), ("GET", "/nothing"),
            ("GET", "/desk/clients"), ("GET", "/desk/audit"), ("GET", "/orders?cursor=x"), ("POST", "/execution/kill"),
        ):  # fmt: skip
            reply = await client.request(method, V1 + path, content=b"{", headers=JSON)
            said.append(reply.text + str(reply.headers))
    metrics = await guarded.client("operator").get("/metrics")
    written = capsys.readouterr()
    whole = "\n".join([*said, metrics.text, written.out, written.err, guarded.file.read_text()])
    assert [secret for secret in secrets if secret.split("_", 2)[2] in whole] == []
    assert "acme~" in whole


async def test_a20_raw_requests_that_are_none_are_refused_and_others_go_on(guarded: Guarded) -> None:
    listener = http_server.bind("127.0.0.1", 0)
    server = http_server._Server(uvicorn.Config(guarded.application, log_config=None, access_log=False))
    started = asyncio.Event()
    server.on_start = started.set
    running = asyncio.create_task(server.serve(sockets=[listener]))
    await started.wait()
    host, port = listener.getsockname()

    async def answer(text: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(text)
            await writer.drain()
            return await asyncio.wait_for(reader.read(200), 5)
        except ConnectionError:
            return b""  # closed on us
        finally:
            writer.close()

    start = b"POST /api/v1/orders HTTP/1.1\r\nHost: desk\r\n"
    for text in (
        start + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        start + b"Content-Length: five\r\n\r\n",
        start + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"GARBAGE\r\n\r\n",
    ):
        first = await answer(text)
        assert first == b"" or first.split()[1] in (b"400", b"401", b"431"), first
    ranges = b"bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(3_000))
    assert (await answer(b"GET /healthz HTTP/1.1\r\nHost: desk\r\nRange: " + ranges + b"\r\n\r\n")) != b"hung"
    async with httpx2.AsyncClient(base_url=f"http://{host}:{port}") as client:
        assert (await client.get("/healthz")).status_code == 200
    server.stop()
    await running
