"""Refuses to start a desk on a disk that is nearly full: a journal that cannot grow stops it amid its orders."""

import shutil
from pathlib import Path

from bestex.domain.errors import InvalidInput

_MB = 1_000_000


def check(folder: Path, floor_mb: int) -> None:
    """Raises InvalidInput if the disk of the folder has less than `floor_mb` free."""
    free_mb = shutil.disk_usage(folder).free // _MB
    if free_mb < floor_mb:
        raise InvalidInput(
            f"{folder} has {free_mb:,} MB free, and the desk starts with {floor_mb:,} or more "
            "(free_space_mb, BESTEX_FREE_SPACE_MB)",
            field="free_space_mb",
            value=free_mb,
            expected=f"{floor_mb:,} MB free: make room, or move state_dir",
        )
