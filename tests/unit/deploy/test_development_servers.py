"""`make services`: what it starts is found again, what it did not start is left alone, what is missing is said."""

import os
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.development import __main__ as command
from deploy.development import postgres, pulsar, redis
from deploy.development.addresses import addresses, toml, variables_of_desk, variables_of_tests
from deploy.development.processes import (
    NotAvailable,
    NotStarted,
    Register,
    Running,
    birth,
    choose_ports,
    launch,
    port_near,
)

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def start_sleeper(tmp_path: Path) -> Running:
    return launch("sleeper", SLEEPER, log=tmp_path / "log", ports={}, is_ready=lambda: True, patience_s=5)


def test_a_started_server_is_found_by_the_next_command_and_ended(tmp_path: Path) -> None:
    running = start_sleeper(tmp_path)
    Register(tmp_path).write({"sleeper": running})
    found = Register(tmp_path).read()
    assert found == {"sleeper": running}
    found["sleeper"].stop()
    os.waitpid(running.pid, 0)
    assert Register(tmp_path).read() == {}


def test_a_pid_that_was_given_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEPER)
    try:
        stale = Running("postgres", stranger.pid, "Sat Jan  1 00:00:00 2000", {"port": 1}, "log")
        Register(tmp_path).write({"postgres": stale})
        assert Register(tmp_path).read() == {}
        stale.stop(signal.SIGKILL)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_process_that_ended_has_no_birth() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert birth(ended.pid) == ""
    assert birth(os.getpid()) != ""


def test_a_server_that_ends_at_its_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    breaks = [sys.executable, "-c", "import sys; sys.exit('the disk is full')"]
    with pytest.raises(NotStarted, match=r"(?s)ended with 1.*the disk is full"):
        launch("postgres", breaks, log=tmp_path / "log", ports={}, is_ready=lambda: False, patience_s=10)


def test_a_server_that_never_answers_is_ended(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="did not answer within 0 s"):
        launch("redis", SLEEPER, log=tmp_path / "log", ports={}, is_ready=lambda: False, patience_s=0.2)


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port_near(port) != port
    assert port_near(port) == port


def test_a_server_comes_back_at_the_port_of_its_last_run(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        preferred = {"port": taken.getsockname()[1]}
        first = choose_ports(tmp_path, "pulsar", preferred)
        assert first != preferred
    assert choose_ports(tmp_path, "pulsar", preferred) == first, "although the preferred port is free by now"
    assert choose_ports(tmp_path, "redis", preferred) == preferred, "another server has its own memory"


SERVERS = {
    "postgres": Running("postgres", 1, "", {"port": 25432}, "log"),
    "redis": Running("redis", 1, "", {"port": 26379}, "log"),
    "pulsar": Running("pulsar", 1, "", {"broker": 26650, "admin": 26680}, "log"),
}


def test_the_settings_file_says_what_the_variables_say() -> None:
    found = addresses(SERVERS, "secret")
    read = tomllib.loads(toml(found))
    assert read == found
    assert variables_of_desk(read) == {
        "BESTEX_STORE_URL": "postgresql://bestex:secret@127.0.0.1:25432/bestex",
        "BESTEX_BUS_URL": "pulsar://127.0.0.1:26650",
        "BESTEX_BUS_ADMIN_URL": "http://127.0.0.1:26680",
        "BESTEX_CACHE_URL": "redis://:secret@127.0.0.1:26379/0",
    }
    assert set(variables_of_tests(read).values()) == set(variables_of_desk(read).values())


def test_an_absent_pulsar_leaves_no_bus() -> None:
    found = addresses({name: server for name, server in SERVERS.items() if name != "pulsar"}, "secret")
    assert "BESTEX_BUS_URL" not in variables_of_desk(found)
    assert "BESTEX_TEST_PULSAR_URL" not in variables_of_tests(found)


def test_what_is_missing_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.delenv("BESTEX_PULSAR_HOME", raising=False)
    with pytest.raises(NotAvailable, match="apt-get install redis-server"):
        redis.start(tmp_path, "secret")
    with pytest.raises(NotAvailable, match="apt-get install openjdk-17-jre-headless"):
        pulsar.find_java()
    with pytest.raises(NotAvailable, match=r"apt-get install maven, .* BESTEX_PULSAR_HOME"):
        pulsar.find_jars(tmp_path / "cache")


def test_a_folder_that_is_no_pulsar_distribution_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESTEX_PULSAR_HOME", str(tmp_path))
    with pytest.raises(NotAvailable, match="holds no lib"):
        pulsar.find_jars(tmp_path / "cache")


def test_a_pulsar_that_cannot_be_had_is_one_line_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(*_: object) -> Running:
        raise NotAvailable("Pulsar needs Java")

    for module in (postgres, redis):
        monkeypatch.setattr(module, "start", lambda *_, name=module.NAME: SERVERS[name])
    monkeypatch.setattr(pulsar, "start", absent)
    assert command.start(tmp_path) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if "NOT STARTED" in line] == [
        "pulsar    NOT STARTED: Pulsar needs Java"
    ]
    monkeypatch.setattr(redis, "start", absent)
    assert command.start(tmp_path) == 1, "without its cache nobody should think that the servers run"


def test_the_password_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    first = command.password_of(tmp_path)
    assert command.password_of(tmp_path) == first
    assert len(first) >= 20
    assert (tmp_path / "password").stat().st_mode & 0o077 == 0
