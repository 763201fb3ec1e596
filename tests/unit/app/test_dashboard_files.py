"""Target `dashboard` serves the built files, and says so where there are none."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bestex.app.dashboard_files import create_application
from bestex.domain.errors import InvalidInput


def test_the_built_dashboard_is_served(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>bestex</title>")
    (tmp_path / "app.js").write_text("1")
    client = TestClient(create_application(tmp_path))
    assert "bestex" in client.get("/").text
    assert client.get("/app.js").status_code == 200
    assert client.get("/readyz").text == "ok"
    assert client.get("/api/v1/orders").status_code == 404


def test_a_folder_without_a_dashboard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has no dashboard") as caught:
        create_application(tmp_path)
    assert "make dashboard" in str(caught.value.expected)
