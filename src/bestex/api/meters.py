"""What the API counts and times, in the registry that `/metrics` shows."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
REQUESTS = Counter("bestex_http_requests", "HTTP requests answered", ["method", "route", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "bestex_http_request_seconds",
    "From the request's arrival to its last byte",
    ["method", "route"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0),
    registry=REGISTRY,
)
CLIENTS = Gauge("bestex_websocket_clients", "WebSockets open now", registry=REGISTRY)
DROPPED = Counter("bestex_websocket_dropped", "Clients closed because they read too slowly", registry=REGISTRY)
