"""The environments of peers: what cannot be had is said in one line, and nothing is measured."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import peers_replay
from benchmarks.peers.environment import PeerMissing, environment
from benchmarks.replay import parents
from bestex.native.decision import StyleCode


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_a_python_that_is_not_here_is_named(cache: Path) -> None:
    with pytest.raises(PeerMissing, match=r"there is no Python 3\.99 here"):
        environment("peer", ["numpy"], (3, 99))


def test_an_environment_made_before_for_the_same_packages_is_used_again(cache: Path) -> None:
    python = cache / "bestex" / "peers" / "peer" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (python.parent.parent / "packages.txt").write_text("one\ntwo\n")
    assert environment("peer", ["one", "two"], (3, 99)) == python
    with pytest.raises(PeerMissing):
        environment("peer", ["one", "three"], (3, 99))


def test_without_the_peer_the_comparison_says_why_and_ends_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cache: Path
) -> None:
    monkeypatch.setattr(peers_replay, "PYTHON", (3, 99))
    monkeypatch.setattr(peers_replay.os, "sched_setaffinity", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["peers_replay"])
    peers_replay.main()
    assert capsys.readouterr().out == "skipped: hftbacktest cannot be run here: there is no Python 3.99 here\n"


def test_the_peer_is_given_every_slice_of_every_parent_in_time_order(tmp_path: Path) -> None:
    orders = parents(StyleCode.AGGRESSIVE, apart=False)
    peers_replay.write_schedule(orders, tmp_path / "schedule.npz")
    schedule = np.load(tmp_path / "schedule.npz")
    times, before = schedule["time_ns"], schedule["before"]
    assert len(times) == 30_000
    assert (np.diff(times) >= 0).all()
    assert schedule["quantity"].sum() == 3_000_000
    assert (before == -1).sum() == len(orders)
    later = before >= 0
    assert (times[later] - times[before[later]] == 60 * 10**9).all()
    assert (schedule["sign"][later] == schedule["sign"][before[later]]).all()
