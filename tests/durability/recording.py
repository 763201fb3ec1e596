"""What a process wrote and synced, in order, and what a disk could hold if the power failed in between.

The model: a sync makes everything written to that file durable. What was not synced is kept or dropped in sectors of 512
bytes, each on its own, so that a larger write can be torn. Directory syncs are taken as done. The shared-memory file of
WAL mode is not part of an image: it holds nothing that outlives a process.
"""

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.durability.writer import ACKNOWLEDGED

_HEADER = struct.Struct("<cBHIQ")
_SECTOR = 512
_KEPT = (0.0, 0.1, 0.5, 0.9, 1.0)  # share of the sectors not synced that reached the disk
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Step:
    kind: str  # w, s, t, u as in recorder.cpp
    name: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class Image:
    """Files as a disk could hold them after a power cut, and the last commit that had been acknowledged by then."""

    number: int
    acknowledged: int
    files: dict[str, bytes]

    def write(self, folder: Path) -> None:
        """Writes the files into a folder that is emptied first."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def build_recorder(folder: Path) -> Path:
    """Compiles the recorder with the C++ compiler of the core."""
    library = folder / "recorder.so"
    source = Path(__file__).with_name("recorder.cpp")
    compiler = os.environ.get("CXX", "g++")
    subprocess.run([compiler, "-std=c++20", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def record(folder: Path, *, commits: int, synchronous: str) -> list[Step]:
    """Runs the writer in a folder of its own; every write and sync of the database's files, in order."""
    state = (folder / f"state-{synchronous}").resolve()
    state.mkdir()
    log = folder / f"{synchronous}.log"
    how = ["--commits", str(commits), "--synchronous", synchronous]
    subprocess.run(
        [sys.executable, "-m", "tests.durability.writer", str(state), *how],
        cwd=_ROOT,
        env={
            **os.environ,
            "LD_PRELOAD": str(build_recorder(folder)),
            "BESTEX_RECORD_DIR": str(state),
            "BESTEX_RECORD_LOG": str(log),
        },
        check=True,
    )
    return list(_steps(log.read_bytes()))


def _steps(log: bytes) -> Iterator[Step]:
    at = 0
    while at < len(log):
        kind, name_length, _, length, offset = _HEADER.unpack_from(log, at)
        at += _HEADER.size
        name = log[at : at + name_length].decode()
        at += name_length
        yield Step(kind.decode(), name, offset, log[at : at + length])
        at += length


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)

    def settle(self) -> None:
        for step in self.pending:
            _apply(self.durable, step.offset, step.data, truncate=step.kind == "t")
        self.pending.clear()

    def after_power_loss(self, randomness: random.Random, kept: float) -> bytes:
        content = bytearray(self.durable)
        for step in self.pending:
            if step.kind == "t":
                if randomness.random() < kept:
                    _apply(content, step.offset, b"", truncate=True)
                continue
            start = step.offset
            while start < step.offset + len(step.data):
                end = min((start // _SECTOR + 1) * _SECTOR, step.offset + len(step.data))
                if randomness.random() < kept:
                    _apply(content, start, step.data[start - step.offset : end - step.offset], truncate=False)
                start = end
        return bytes(content)


def _apply(content: bytearray, offset: int, data: bytes, *, truncate: bool) -> None:
    if truncate:
        del content[offset:]
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def images(steps: Sequence[Step], *, seed: int, count: int, first: int = 0) -> Iterator[Image]:
    """Images `first` to `count` of a power cut at random moments, in order of the moment; same seed, same images."""
    when = random.Random(seed)
    moments = sorted(when.randrange(1, len(steps) + 1) for _ in range(count))
    files: dict[str, _File] = {}
    acknowledged = done = 0
    for number, moment in enumerate(moments):
        for step in steps[done:moment]:
            if step.name == ACKNOWLEDGED:
                acknowledged = max(acknowledged, int.from_bytes(step.data, "little"))
            elif step.kind == "u":
                files.pop(step.name, None)
            elif not step.name.endswith("-shm"):
                file = files.setdefault(step.name, _File())
                if step.kind == "s":
                    file.settle()
                else:
                    file.pending.append(step)
        done = moment
        if number >= first:
            randomness = random.Random(f"{seed}/{number}")
            kept = randomness.choice(_KEPT)
            content = {name: file.after_power_loss(randomness, kept) for name, file in files.items()}
            yield Image(number, acknowledged, content)
