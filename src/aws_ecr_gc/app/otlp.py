"""What OpenTelemetry is told of a run. The one module that imports its library, which the extra `otel` installs.

The library reads its own environment variables: where the collector is, headers, certificates, what the service is
called.
"""

import os
from collections.abc import Sequence

from msgspec import Struct
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, StatusCode, Tracer, set_span_in_context

from aws_ecr_gc import __version__
from aws_ecr_gc.report.metrics import MEASURES, PlaceNumbers

_NAME = "aws-ecr-gc"
_COMMAND = "aws_ecr_gc.command"
_EXIT_CODE = "aws_ecr_gc.exit_code"
_PLACE_EXIT_CODE = "aws_ecr_gc.place.exit_code"
_NANO = 1_000_000_000


class Told(Struct, frozen=True):
    """One run: the numbers of its places, when it ended in epoch seconds, its exit code."""

    command: str
    places: Sequence[PlaceNumbers]
    ended_at: float
    exit_code: int

    def metrics(self) -> bool:
        """Send the numbers; whether they were taken. They are those of the last run, as for Prometheus: gauges."""
        reader = InMemoryMetricReader()
        meter = MeterProvider([reader], _resource(), shutdown_on_exit=False).get_meter(_NAME, __version__)
        for measure in MEASURES:
            gauge = meter.create_gauge(measure.otel, measure.ucum, measure.meaning)
            for place in self.places:
                gauge.set(getattr(place.summary, measure.field), self._about(place))
        gauge = meter.create_gauge(_PLACE_EXIT_CODE, "1", "the exit code of the place alone")
        for place in self.places:
            gauge.set(place.exit, self._about(place))
        whole = meter.create_gauge(_EXIT_CODE, "1", "the exit code of the run")
        whole.set(self.exit_code, {_COMMAND: self.command})
        found = reader.get_metrics_data()
        if found is None:
            return True
        exporter = OTLPMetricExporter()
        try:
            return exporter.export(found) is MetricExportResult.SUCCESS
        finally:
            exporter.shutdown()

    def traces(self) -> bool:
        """Send a span of the run, and one below it for each place; whether they were taken."""
        kept = InMemorySpanExporter()
        provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(kept))
        tracer = provider.get_tracer(_NAME, __version__)
        whole = _begun(tracer, _NAME, min(map(_began, self.places), default=self.ended_at), self.exit_code)
        whole.set_attributes({_COMMAND: self.command, "process.exit.code": self.exit_code, "process.pid": os.getpid()})
        for place in self.places:
            span = _begun(tracer, "place", _began(place), place.exit, set_span_in_context(whole))
            span.set_attributes({**self._about(place), _PLACE_EXIT_CODE: place.exit})
            span.set_attributes({each.otel: getattr(place.summary, each.field) for each in MEASURES})
            span.end(int(place.ended_at * _NANO))
        whole.end(int(self.ended_at * _NANO))
        spans = kept.get_finished_spans()
        if not spans:
            return True
        exporter = OTLPSpanExporter()
        try:
            return exporter.export(spans) is SpanExportResult.SUCCESS
        finally:
            exporter.shutdown()  # type: ignore[no-untyped-call]  # the library's

    def _about(self, place: PlaceNumbers) -> dict[str, str]:
        account = place.account or "unknown"
        return {"cloud.account.id": account, "cloud.region": place.region, _COMMAND: self.command}


def _began(place: PlaceNumbers) -> float:
    return place.ended_at - place.summary.seconds


def _begun(tracer: Tracer, name: str, at: float, exit_code: int, within: Context | None = None) -> Span:
    span = tracer.start_span(name, within, start_time=int(at * _NANO))
    if exit_code:
        span.set_status(StatusCode.ERROR, f"exit code {exit_code}")
    return span


def _resource() -> Resource:
    """Who sends: what the environment says, and where it says nothing, the program."""
    stated = Resource.create()
    own = {"service.name": _NAME, "service.version": __version__, "cloud.provider": "aws"}
    named = {**stated.attributes}
    if str(named.get("service.name", "")).startswith("unknown_service"):
        del named["service.name"]
    return Resource({**own, **named}, stated.schema_url)
