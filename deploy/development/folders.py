"""Where the development servers keep their data, logs and downloads: outside every checkout, one set for a user."""

import os
from pathlib import Path


def state_folder() -> Path:
    """Data, logs and what is running. `BESTEX_SERVICES_DIR` decides; the default can be read by PostgreSQL's own user.

    PostgreSQL refuses to run as root and then runs as the user its package made, who may not enter root's home.
    """
    if chosen := os.environ.get("BESTEX_SERVICES_DIR"):
        return Path(chosen).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/bestex-services")
    return Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser() / "bestex-services"


def cache_folder() -> Path:
    """What was downloaded and can be downloaded again."""
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "bestex"
