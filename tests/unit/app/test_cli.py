"""The command line as a person types it."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from bestex import cli
from tests.desk_process import DeskProcess

ORDER = {
    "order_id": "o1",
    "instrument_id": "AAPL",
    "side": "BUY",
    "quantity": 5000,
    "objective": "MINIMIZE_COST",
    "urgency": "NORMAL",
    "constraints": {"max_participation_rate": 0.2},
}


def bestex(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["bestex", *arguments])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def order_file(tmp_path: Path) -> Path:
    path = tmp_path / "order.json"
    path.write_text(json.dumps(ORDER))
    return path


def test_help_names_the_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert bestex(monkeypatch, "--help") == 0
    text = capsys.readouterr().out
    assert all(command in text for command in ("serve", "demo", "recommend", "replay"))


def test_the_version_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert bestex(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.strip() == "0.1.0"


def test_recommend_prints_a_strategy_with_its_cost_and_reasons(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], order_file: Path
) -> None:
    assert bestex(monkeypatch, "recommend", str(order_file)) == 0
    assert "confidence" in capsys.readouterr().out
    assert bestex(monkeypatch, "recommend", str(order_file), "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["order_id"] == "o1"
    assert answer["recommended_strategy"]["algorithm"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"quantity": "5000"}, "quantity"),
        ({"instrument_id": "NOPE"}, "NOPE"),
        ({"colour": "blue"}, "colour"),
        ({"constraints": {"max_participation_rate": 3}}, "max_participation_rate"),
    ],
)
def test_recommend_refuses_a_wrong_order_with_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    change: dict[str, object],
    says: str,
) -> None:
    path = tmp_path / "order.json"
    path.write_text(json.dumps(ORDER | change))
    code = bestex(monkeypatch, "recommend", str(path), "--json")
    assert code in (1, 2)
    error = json.loads(capsys.readouterr().err)
    assert says in error["detail"]


def test_recommend_says_that_a_file_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert bestex(monkeypatch, "recommend", str(tmp_path / "none.json")) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_recommend_says_that_no_desk_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], order_file: Path
) -> None:
    assert bestex(monkeypatch, "recommend", str(order_file), "--url", "http://127.0.0.1:9") == 1
    assert "does not answer" in capsys.readouterr().err


def test_demo_runs_orders_to_their_grades(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert bestex(monkeypatch, "demo", "--orders", "2", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["generated"] is True
    assert len(answer["trade_executed"]) == 2
    assert bestex(monkeypatch, "demo", "--orders", "1") == 0
    assert "generated market" in capsys.readouterr().out


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Trades and quotes of half an hour: the bid and ask step up and down a cent, a print every second."""
    trades = ["DT,EX,SYMBOL,PRICE,SIZE,COND,CORR"]
    quotes = ["DT,EX,SYMBOL,BID,BIDSIZ,OFR,OFRSIZ"]
    for second in range(1800):
        at = f"2018-01-02T14:{30 + second // 60:02d}:{second % 60:02d}.000000"
        mid = 10_000 + second // 60 % 5
        quotes.append(f"{at},N,XXX,{(mid - 1) / 100:.2f},5,{(mid + 1) / 100:.2f},5")
        trades.append(f"{at[:-6]}500000,N,XXX,{(mid + (1 if second % 2 else -1)) / 100:.2f},200,,0")
    folder = tmp_path / "taq"
    folder.mkdir()
    with gzip.open(folder / "XXX_trades_2018-01-02.csv.gz", "wt") as file:
        file.write("\n".join(trades) + "\n")
    with gzip.open(folder / "XXX_quotes_2018-01-02.csv.gz", "wt") as file:
        file.write("\n".join(quotes) + "\n")
    return folder / "XXX_trades_2018-01-02.csv.gz"


def replay(recording: Path, tmp_path: Path, **change: str) -> list[str]:
    options = {
        "tape": str(recording), "side": "BUY", "quantity": "2000", "algorithm": "TWAP", "start": "09:35", "end": "09:50",
        "report": str(tmp_path / "report.html"), "events": str(tmp_path / "events.ndjson"),
    } | change  # fmt: skip
    return ["replay", *(part for name, value in options.items() for part in (f"--{name}", value))]


def test_replay_works_an_order_on_a_tape_and_writes_report_events_and_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tape: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert bestex(monkeypatch, *replay(tape, tmp_path), "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["trade_executed"]["execution"]["executed_quantity"] == 2000
    assert answer["quality"]["quality_grade"]
    assert "<svg" in (tmp_path / "report.html").read_text()
    events = [json.loads(line) for line in (tmp_path / "events.ndjson").read_text().splitlines()]
    assert [event["event_type"] for event in events[:2]] == ["create_order", "order_created"]
    first = (tmp_path / "events.ndjson").read_bytes()
    assert bestex(monkeypatch, *replay(tape, tmp_path)) == 0
    assert "grade" in capsys.readouterr().out
    assert (tmp_path / "events.ndjson").read_bytes() == first


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"side": "HOLD"}, "side"),
        ({"quantity": "5.5"}, "quantity"),
        ({"quantity": "many"}, "quantity"),
        ({"algorithm": "MAGIC"}, "algorithm"),
        ({"start": "25:00"}, "start"),
        ({"end": "09:30"}, "end"),
        ({"end": "15:00"}, "end"),
        ({"rate": "2"}, "execution_instructions.max_participation_rate"),
        ({"limit": "100.001"}, "price"),
        ({"queue-model": "magic"}, "queue_model"),
        ({"tape": "/nothing/here"}, "path"),
    ],
)
def test_replay_refuses_what_is_wrong_with_exit_code_2_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tape: Path,
    tmp_path: Path,
    change: dict[str, str],
    field: str,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert bestex(monkeypatch, *replay(tape, tmp_path, **change), "--json") == 2
    error = json.loads(capsys.readouterr().err.strip().splitlines()[-1])
    assert field in [item["field"] for item in error["errors"]], error
    assert not (tmp_path / "report.html").exists()


def test_instruments_are_added_to_a_running_desk_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    future = Path(__file__).parents[3] / "examples" / "instruments" / "es_future.toml"
    changed = tmp_path / "changed.toml"
    changed.write_text(future.read_text().replace('"1.38"', '"1.40"'))
    desk = DeskProcess(tmp_path / "state")

    def said(*arguments: str) -> tuple[int, list[str]]:
        code = bestex(monkeypatch, "instruments", "add", "--url", desk.url, *arguments)
        seen = capsys.readouterr()
        return code, (seen.out + seen.err).splitlines()

    try:
        assert said(str(future)) == (0, ["added venue GLBX", "added instrument ES"])
        assert said(str(future)) == (0, ["known instrument ES"])
        code, [line, *_] = said(str(changed))
        assert (code, line) == (1, "error: venue GLBX is known otherwise; give --replace to change it")
        assert said("--replace", str(changed)) == (0, ["changed venue GLBX", "known instrument ES"])
        assert desk.get("/venues/GLBX")["taker_fee"] == 1.4
        assert desk.get("/instruments/ES")["multiplier"] == 50
    finally:
        desk.stop()
    code, [line, *_] = said(str(future))
    assert code == 1
    assert "is the desk running?" in line
