"""Turns tracing on where the settings ask for it. The SDK comes with `pip install bestex[telemetry]`."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bestex.app.metered import Metered
from bestex.app.settings import Settings
from bestex.domain.errors import InvalidInput

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


@contextlib.contextmanager
def observing(settings: Settings, service: str) -> Iterator[Metered]:
    """The observer of a process: metrics always, spans where `otlp_endpoint` or `trace_file` is set.

    Args:
        service: name of the process in its spans.

    Raises:
        InvalidInput: if spans are asked for and the SDK is not installed.
    """
    if settings.otlp_endpoint is None and settings.trace_file is None:
        yield Metered()
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    except ImportError:
        raise InvalidInput(
            "otlp_endpoint and trace_file need the OpenTelemetry SDK, which is not installed",
            field="otlp_endpoint" if settings.trace_file is None else "trace_file",
            expected="pip install bestex[telemetry]",
        ) from None
    from bestex.app.traced import Traced

    class JsonLines(SpanExporter):
        """One span a line, appended; several processes may write to one file."""

        def __init__(self, path: Path) -> None:
            self._path = path

        def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
            text = "".join(json.dumps(span_line(span)) + "\n" for span in spans)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
            return SpanExportResult.SUCCESS

    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    if settings.trace_file is not None:
        provider.add_span_processor(BatchSpanProcessor(JsonLines(settings.trace_file)))
    if settings.otlp_endpoint is not None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_endpoint)))
    try:
        yield Traced(provider.get_tracer("bestex"))
    finally:
        provider.shutdown()


def span_line(span: "ReadableSpan") -> dict[str, Any]:
    """A span as one JSON object: ids in hex, times in UTC nanoseconds."""
    context = span.get_span_context()
    assert context is not None, "a span that is exported has a context"
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_id": None if span.parent is None else f"{span.parent.span_id:016x}",
        "name": span.name,
        "kind": span.kind.name,
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "process": span.resource.attributes.get("service.name"),
        "attributes": dict(span.attributes or {}),
    }
