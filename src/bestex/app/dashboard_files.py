"""Target `dashboard`: the dashboard's files alone, for a proxy that sends /api to the gateway."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bestex.app import http_server
from bestex.app.settings import Settings
from bestex.domain.errors import InvalidInput


def create_application(folder: Path) -> Starlette:
    """Raises InvalidInput if the dashboard has not been built into the folder."""
    if not (folder / "index.html").exists():
        raise InvalidInput(
            f"{folder} has no dashboard", field="target", value="dashboard", expected="a built one: `make dashboard`"
        )
    return Starlette(
        routes=[
            Route("/healthz", _well),
            Route("/readyz", _well),
            Mount("/", StaticFiles(directory=folder, html=True)),
        ]
    )


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM."""
    application = create_application(Path(str(files("bestex.dashboard") / "static")))
    listener = http_server.bind(settings.host, settings.port)
    address = f"http://{settings.host}:{listener.getsockname()[1]}"
    await http_server.run(application, listener, lambda: ready(address))


async def _well(request: Request) -> Response:
    return PlainTextResponse("ok")
