"""A bare FastAPI endpoint beside `recommend`: the same request and answer models, a constant answer, one worker.

    python -m benchmarks.bare_endpoint

Serves POST /api/v1/execution-strategy/recommend on a free port of the loopback and prints its address. No market, no
strategy, no journal: what is left is the cost of HTTP, of reading the request and of writing an answer of usual size.
"""

import socket

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.responses import Response

from benchmarks.recommend_step import OPEN_NS, drawn_requests
from bestex.api.answers import answer
from bestex.api.models import RecommendBody
from bestex.api.strict_route import StrictRoute
from bestex.messages.strategy import Recommendation
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.service import StrategyService
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

SEED = 20_261_121


def constant_answer() -> Recommendation:
    reference = GeneratedReference(GeneratedMarket(seed=SEED, start_ns=OPEN_NS))
    service = StrategyService(reference, StrategyConfig())
    [message] = drawn_requests(1, SEED, reference)
    recommendation: Recommendation = service.handle(message).answer
    return recommendation


def application() -> FastAPI:
    constant = constant_answer()
    router = APIRouter(route_class=StrictRoute)

    @router.post("/api/v1/execution-strategy/recommend")
    async def recommend(body: RecommendBody) -> Response:
        return answer(constant)

    app = FastAPI()
    app.include_router(router)
    return app


def main() -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    app = application()
    listener.listen(128)  # who reads the address may connect at once
    print(f"bare http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
