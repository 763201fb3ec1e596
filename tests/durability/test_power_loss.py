"""What the API has acknowledged survives a power cut: the short form of `python -m tests.durability.power_loss`."""

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from tests.durability.power_loss import losses, verdicts
from tests.durability.recording import Step, images, record

COMMITS = 150


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    if not sys.platform.startswith("linux") or shutil.which(os.environ.get("CXX", "g++")) is None:
        pytest.skip("recording writes needs Linux and a C++ compiler (g++, or the one named by CXX)")
    return tmp_path


def new_seed() -> int:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    return seed


async def test_no_acknowledged_commit_is_lost_in_200_power_cuts(disk: Path) -> None:
    steps = record(disk, commits=COMMITS, synchronous="FULL")
    assert sum(step.kind == "s" for step in steps) >= COMMITS // 3, "a commit that is not synced promises nothing"
    counted = await verdicts(images(steps, seed=new_seed(), count=200))
    assert counted == {"kept": 200}


async def test_the_same_cuts_with_synchronous_normal_lose_commits_and_corrupt_nothing(disk: Path) -> None:
    steps = record(disk, commits=COMMITS, synchronous="NORMAL")
    counted = await verdicts(images(steps, seed=new_seed(), count=40))
    assert losses(counted) > 0, "the control must lose commits, or the harness cannot see a loss"
    assert counted["kept"] + losses(counted) == 40


async def test_a_power_cut_during_the_very_first_start_leaves_a_journal_that_opens(disk: Path) -> None:
    steps = record(disk, commits=1, synchronous="FULL")
    counted = await verdicts(images(steps, seed=new_seed(), count=60))
    assert counted == {"kept": 60}


def test_what_is_synced_is_in_every_image_and_what_is_not_may_be_torn_at_a_sector() -> None:
    steps = [
        Step("w", "file", 0, b"A" * 1024),
        Step("s", "file", 0, b""),
        Step("w", "file", 256, b"B" * 1024),  # over three sectors: 256 to 511, 512 to 1023, 1024 to 1279
        Step("u", "gone", 0, b""),
    ]
    seen = {
        image.files["file"] for image in images(steps, seed=1, count=400) if len(image.files) and image.number > 300
    }
    parts = {(content[0:1], content[256:257], content[512:513], content[1024:1025]) for content in seen}
    assert {part[0] for part in parts} == {b"A"}
    assert {part[1:3] for part in parts} == {(b"A", b"A"), (b"A", b"B"), (b"B", b"A"), (b"B", b"B")}
    assert {part[3] for part in parts} == {b"", b"B"}
