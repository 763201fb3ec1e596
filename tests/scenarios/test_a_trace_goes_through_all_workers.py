"""One order through separate workers on a bus: its spans are one trace, and its picture shows every service."""

import json
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bestex.adapters.reports import waterfall
from bestex.app.traced import Traced
from bestex.app.tracing import span_line
from bestex.app.worker import Worker
from bestex.domain.errors import InvalidData, NotFound
from tests.scenarios.separate_workers import SeparateWorkers, small_orders


async def test_spans_of_one_order_are_one_trace_across_workers_and_make_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    plain = Worker.__init__

    def traced(worker: Worker, *args: object, **options: object) -> None:
        # An observer of its own, as in a process of its own: only bus headers carry the context from one to the next.
        plain(worker, *args, **options, observer=Traced(provider.get_tracer("test")))  # type: ignore[arg-type]

    monkeypatch.setattr(Worker, "__init__", traced)
    desk = SeparateWorkers(seed=3)
    parents = small_orders(1, 3)
    async with desk.running():
        await desk.work(parents)
    order_id = str(parents[0].order_id)
    spans = exporter.get_finished_spans()
    provider.shutdown()
    path = tmp_path / "spans.jsonl"
    path.write_text("".join(json.dumps(span_line(span)) + "\n" for span in spans))
    found = waterfall.of_order(waterfall.read_spans([path]), order_id)
    assert len({span.trace_id for span in found}) == 1
    roots = [span for span in found if span.parent_id is None]
    assert [span.name for span in roots] == ["order-desk handles create_order"]
    names = {span.name for span in found}
    for service in ("order-desk", "strategy", "algorithm", "monitoring", "quality"):
        assert any(name.startswith(f"{service} handles") for name in names), service
    assert "commit" in names
    assert any(name.startswith("submit to ") for name in names)
    assert "publish child_order_submitted" in names
    by_id = {span.span_id: span for span in found}
    report = next(span for span in found if span.name == "algorithm handles execution_report")
    assert by_id[str(report.parent_id)].name.startswith("submit to ")
    picture = waterfall.waterfall(found, order_id)
    assert picture.count("<rect") > 20
    assert order_id in picture
    with pytest.raises(NotFound):
        waterfall.of_order(waterfall.read_spans([path]), "nobody")
    path.write_text("{}\n")
    with pytest.raises(InvalidData, match="line 1"):
        waterfall.read_spans([path])
