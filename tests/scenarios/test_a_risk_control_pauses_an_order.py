"""A recommendation's risk control breaks: the order pauses, a person is told the figure, decides, and is believed."""

import msgspec
import pytest

from bestex.app import recovery
from bestex.domain.orders import ParentState, Urgency
from bestex.messages.execution import AlgorithmExecution, ChildOrderSubmitted, ResumeExecution
from bestex.messages.monitoring import ExecutionAlertGenerated
from bestex.services.strategy import recommendation
from tests.scenarios.event_time import EventTimeDesk
from tests.scenarios.test_determinism import states

LIMIT_BPS = 0.2


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recommendations that promise less than half a spread."""
    real = recommendation.risk_controls
    monkeypatch.setattr(
        recommendation,
        "risk_controls",
        lambda *given: msgspec.structs.replace(real(*given), max_slippage_bps=LIMIT_BPS),
    )


def paused(seed: int) -> EventTimeDesk:
    live = EventTimeDesk(seed=seed)
    live.send("dear", quantity=3_000, minutes=8, urgency=Urgency.URGENT)
    for _ in range(480):
        live.run(seconds=1)
        if shown(live)[-1].state is ParentState.PAUSED:
            return live
    raise AssertionError(f"never paused: {shown(live)[-1].reason}")


def shown(live: EventTimeDesk) -> list[AlgorithmExecution]:
    return [message.payload for message in live.messages if message.event_type == "algorithm_execution"]


def alerts(live: EventTimeDesk) -> list[ExecutionAlertGenerated]:
    told = [message.payload for message in live.messages if message.event_type == "execution_alert_generated"]
    return [alert for alert in told if alert.alert_type == "HIGH_COST" and alert.threshold == 0]


@pytest.mark.usefixtures("tight")
def test_the_alert_names_the_figure_and_resolves_when_a_person_resumes() -> None:
    live = paused(seed=4)
    breach = shown(live)[-1].breach
    assert breach is not None
    assert breach.value > breach.limit == LIMIT_BPS
    (alert,) = alerts(live)
    assert (alert.state, alert.severity) == ("FIRING", "HIGH")
    assert alert.value == pytest.approx(breach.value - breach.limit)
    assert f"{breach.value:.1f} bps is beyond the {breach.limit:.1f} bps" in alert.recommendation
    sent = sum(isinstance(message.payload, ChildOrderSubmitted) for message in live.messages)
    live.run(seconds=30)
    assert sum(isinstance(message.payload, ChildOrderSubmitted) for message in live.messages) == sent
    live.ask("algorithm", ResumeExecution(order_id="dear", actor="trader", market=live.snapshot("AAPL")), "dear")
    live.run(seconds=5)
    assert [alert.state for alert in alerts(live)][:2] == ["FIRING", "RESOLVED"]


@pytest.mark.usefixtures("tight")
async def test_after_a_restart_the_order_is_paused_by_the_same_figure() -> None:
    live = paused(seed=4)
    fresh = live.fresh_desk()
    await recovery.recover(fresh, live.journal, live.journal)
    assert states(fresh, {"dear"}) == states(live.desk, {"dear"})


def test_an_ordinary_recommendation_is_not_stopped_by_its_own_controls() -> None:
    live = EventTimeDesk(seed=4)
    live.send("usual", quantity=3_000, minutes=8)
    live.run(seconds=600)
    assert shown(live)[-1].state is ParentState.FILLED
    assert all(item.breach is None for item in shown(live))
