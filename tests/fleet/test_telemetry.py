"""What an OpenTelemetry collector is told of a run, and that none of its troubles are the run's."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from aws_ecr_gc import __version__
from aws_ecr_gc.app import telemetry
from aws_ecr_gc.report.metrics import MEASURES
from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.conftest import Shell
from tests.fleet.test_reach import EVERYWHERE, PLACES, Fleet
from tests.fleet.test_watching import numbers
from tests.wire.policies import BUILDS, policy, policy_file
from tests.wire.test_run import fill

ROOT = Path(__file__).parents[2]


class Collector:
    """Takes OTLP over HTTP, and keeps what it was sent: path, headers, body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests.append((self.path, dict(self.headers), body))
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def body(self, path: str) -> bytes:
        (body,) = [body for where, _, body in self.requests if where == path]
        return body

    def resource(self) -> dict[str, Any]:
        request = ExportMetricsServiceRequest.FromString(self.body("/v1/metrics"))
        (resource_metrics,) = request.resource_metrics
        return values(resource_metrics.resource.attributes)

    def metrics(self) -> dict[tuple[str, str, str, str], float]:
        """The numbers by name, unit, account and region."""
        request = ExportMetricsServiceRequest.FromString(self.body("/v1/metrics"))
        found = {}
        for metric in request.resource_metrics[0].scope_metrics[0].metrics:
            for point in metric.gauge.data_points:
                about = values(point.attributes)
                assert about["aws_ecr_gc.command"] in {"plan", "run"}
                where = (about.get("cloud.account.id", ""), about.get("cloud.region", ""))
                found[metric.name, metric.unit, *where] = getattr(point, str(point.WhichOneof("value")))
        return found

    def spans(self) -> list[Span]:
        request = ExportTraceServiceRequest.FromString(self.body("/v1/traces"))
        return [span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]


def values(attributes: Any) -> dict[str, Any]:
    def value(stated: AnyValue) -> Any:
        return getattr(stated, str(stated.WhichOneof("value")))

    pairs: list[KeyValue] = list(attributes)
    return {each.key: value(each.value) for each in pairs}


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """The library's threads go on after a run has given them up, and draw random numbers amid other tests."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(60)


@pytest.fixture
def collector(shell: Shell) -> Iterator[Collector]:
    running = Collector()
    shell.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = running.url
    yield running
    running.close()


@pytest.fixture
def fleet(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> Fleet:
    return Fleet(sandbox, shell, tmp_path)


@pytest.fixture
def plan(sandbox: Sandbox, tmp_path: Path) -> tuple[str, ...]:
    """The words of a plan of one repository whose numbers go to a collector."""
    fill(sandbox, "ci/a")
    return ("plan", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)), "--otel")


def test_the_numbers_are_those_for_prometheus_with_names_units_and_places(fleet: Fleet, collector: Collector) -> None:
    fleet.sandbox.faults = Faults(deny_on={"lib": ["DescribeImages"]})
    prometheus = fleet.folder / "gc.prom"
    finished = fleet("run", "-f", fleet.policy, "--yes", *EVERYWHERE, "--metrics-file", str(prometheus), "--otel")
    assert finished.exit == 3
    expected, found = numbers(prometheus), collector.metrics()
    for place in PLACES:
        for measure in MEASURES:
            value = expected[f"aws_ecr_gc_last_run_{measure.prometheus}", *place]
            assert found[measure.otel, measure.ucum, *place] == pytest.approx(value, abs=0.001)
        assert found["aws_ecr_gc.images.done", "{image}", *place] == 2
        assert found["aws_ecr_gc.place.exit_code", "1", *place] == 3
    assert found["aws_ecr_gc.exit_code", "1", "", ""] == 3
    assert len(found) == len(PLACES) * (len(MEASURES) + 1) + 1
    resource = collector.resource()
    assert resource["service.name"] == "aws-ecr-gc"
    assert resource["service.version"] == __version__


def test_the_trace_has_a_span_for_the_run_and_one_below_it_for_each_place(fleet: Fleet, collector: Collector) -> None:
    fleet.sandbox.faults = Faults(deny_on={"lib": ["DescribeImages"]})
    before = time.time_ns()
    fleet("run", "-f", fleet.policy, "--yes", *EVERYWHERE, "--otel")
    after = time.time_ns()
    spans = collector.spans()
    (whole,) = [span for span in spans if not span.parent_span_id]
    assert whole.name == "aws-ecr-gc"
    about = values(whole.attributes)
    assert (about["aws_ecr_gc.command"], about["process.exit.code"]) == ("run", 3)
    assert whole.status.code == Status.STATUS_CODE_ERROR
    below = [span for span in spans if span.parent_span_id == whole.span_id]
    assert len(below) == len(spans) - 1
    assert {span.trace_id for span in spans} == {whole.trace_id}
    told = [values(span.attributes) for span in below]
    assert [(each["cloud.account.id"], each["cloud.region"]) for each in told] == PLACES
    assert all(each["aws_ecr_gc.images.done"] == 2 for each in told)
    for span in below:
        assert before <= whole.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano < span.end_time_unix_nano <= whole.end_time_unix_nano <= after


def test_one_registry_is_a_place_too(shell: Shell, collector: Collector, plan: tuple[str, ...]) -> None:
    assert shell(*plan).exit == 0
    where = ("123456789012", "us-east-1")
    assert collector.metrics()["aws_ecr_gc.images.planned", "{image}", *where] == 2
    assert [span.name for span in collector.spans()] == ["place", "aws-ecr-gc"]
    assert all(span.status.code == Status.STATUS_CODE_UNSET for span in collector.spans())


def test_the_environment_of_opentelemetry_says_who_sends_what_and_how(
    shell: Shell, collector: Collector, plan: tuple[str, ...]
) -> None:
    stated = {
        "OTEL_SERVICE_NAME": "night-job",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=s3cret",
        "OTEL_TRACES_EXPORTER": "none",
    }
    assert shell(*plan, **stated).exit == 0
    resource = collector.resource()
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("night-job", "prod")
    ((path, headers, _),) = collector.requests
    assert path == "/v1/metrics"
    assert headers["api-key"] == "s3cret"
    assert shell(*plan, OTEL_SDK_DISABLED="true").exit == 0
    assert len(collector.requests) == 1


def warnings(err: str) -> list[str]:
    return [line for line in err.splitlines() if "--otel" in line]


def test_a_collector_that_can_not_be_reached_is_a_warning(shell: Shell, plan: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    finished = shell(*plan, OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_EXPORTER_OTLP_TIMEOUT="1")
    assert finished.exit == 0
    assert finished.err.splitlines() == warnings(finished.err)
    metrics, traces = warnings(finished.err)
    assert metrics.startswith("aws-ecr-gc: warning: --otel: no metrics were sent to " + url)
    assert traces.startswith("aws-ecr-gc: warning: --otel: no traces were sent to " + url)


def test_a_collector_that_refuses_is_a_warning(shell: Shell, collector: Collector, plan: tuple[str, ...]) -> None:
    collector.status = 403
    finished = shell(*plan)
    assert finished.exit == 0
    assert all("403" in line for line in warnings(finished.err))
    assert len(warnings(finished.err)) == 2


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a collector that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_collector_that_hangs_is_a_warning(shell: Shell, plan: tuple[str, ...], hanging: str) -> None:
    finished = shell(*plan, OTEL_EXPORTER_OTLP_ENDPOINT=hanging, OTEL_EXPORTER_OTLP_TIMEOUT="1")
    assert finished.exit == 0
    assert finished.err.splitlines() == warnings(finished.err)
    assert len(warnings(finished.err)) == 2


def test_whatever_the_library_is_told_a_run_does_not_wait_for_ever(shell: Shell, hanging: str) -> None:
    with shell.environment_of({"OTEL_EXPORTER_OTLP_ENDPOINT": hanging, "OTEL_EXPORTER_OTLP_TIMEOUT": "3600"}):
        troubles = telemetry.send("plan", [], time.time(), 0, patience=0.5)
    assert troubles == [f"no {name} were sent to {hanging}: no answer within 0.5 s" for name in ("metrics", "traces")]


def test_without_the_library_it_is_said_before_anything_is_read(
    sandbox: Sandbox, shell: Shell, plan: tuple[str, ...]
) -> None:
    without = "import sys; sys.modules['opentelemetry'] = None; from aws_ecr_gc.cli.main import run; run()"
    ended = subprocess.run(
        [sys.executable, "-c", without, *plan], env=shell.with_changes({}), capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("aws-ecr-gc: --otel: the OpenTelemetry library is missing")
    assert line.endswith("pip install 'aws-ecr-gc[otel]'")
    assert not sandbox.calls


def test_a_protocol_that_is_not_spoken_is_refused_before_anything_is_read(
    sandbox: Sandbox, shell: Shell, plan: tuple[str, ...]
) -> None:
    finished = shell(*plan, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    assert (finished.exit, finished.out) == (2, "")
    assert "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and only http/protobuf is spoken here" in finished.err
    assert not sandbox.calls
