"""A client over HTTP: starts a desk on a free port, asks for a recommendation, commits it, watches, reads the cost.

Run: python examples/06_http_client.py
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from typing import Any

ORDER = {"order_id": "client-1", "instrument_id": "AAPL", "side": "BUY", "quantity": 3_000}


def call(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", "idempotency-key": f"{method}-{ORDER['order_id']}"}
    request = urllib.request.Request(url, data, headers if data else {}, method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read())


def drive(api: str) -> None:
    wish = {"objective": "MINIMIZE_COST", "urgency": "HIGH", "constraints": {"time_limit_minutes": 10}}
    proposed = call("POST", f"{api}/execution-strategy/recommend", {**ORDER, **wish})
    print("recommended", proposed["recommended_strategy"]["strategy_name"], "-", proposed["strategy_rationale"])
    call("POST", f"{api}/orders", {**ORDER, "selection_id": proposed["selection_id"]})
    for _ in range(600):
        order = call("GET", f"{api}/orders/client-1")
        print(f"\r{order['state']} {order['filled_quantity']} of {order['quantity']}", end="", flush=True)
        try:
            analytics = call("GET", f"{api}/monitoring/client-1/analytics")
        except urllib.error.HTTPError as error:
            if error.code != 404:  # not measured yet
                raise
        else:
            if analytics["trade_executed"] is not None:
                break
        time.sleep(0.2)
    else:
        raise SystemExit("the order does not come to its end")
    print()
    for part, amount in analytics["performance_attribution"].items():
        print(f"{part:>14}  {amount:>10.2f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as state:
        command = ["serve", "--port", "0", "--speed", "120", "--log-level", "warning", "--state-dir", state]
        with subprocess.Popen([sys.executable, "-m", "bestex", *command], stdout=subprocess.PIPE, text=True) as desk:
            try:
                assert desk.stdout is not None
                address = next(line.split()[1] for line in desk.stdout if "dashboard" in line)
                drive(f"{address.rstrip('/')}/api/v1")
            finally:
                desk.terminate()


if __name__ == "__main__":
    main()
