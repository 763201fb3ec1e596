import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def real_data() -> Path:
    """The folder of recorded market data; the test is skipped where there is none."""
    folder = Path(os.environ.get("BESTEX_DATA", REPOSITORY / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no recorded market data at {folder}; set BESTEX_DATA to its folder")
    return folder
