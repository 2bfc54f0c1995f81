"""CloudWatch, by moto's server over HTTP; and what that server never does, by clients that do it.

moto ignores the namespace where dimensions are asked for, evaluates no alarms, and its percentiles are wrong, so none
of that is concluded from it.
"""

from __future__ import annotations

import datetime
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.telemetry import AlarmTransition, LogLine, MetricPoint
from runtime.observed.cloudwatch import CloudWatchMetric, CloudWatchTelemetryStreamer, LogGroup

try:
    import boto3
    from botocore.exceptions import ClientError, EndpointConnectionError
    from moto.server import ThreadedMotoServer
except ImportError as error:
    warnings.warn(f"CloudWatch was not asked here: {error}", stacklevel=1)
    pytest.skip(f"needs boto3, moto, flask and flask-cors: {error}", allow_module_level=True)

NOW = 1_796_040_030.0
METRIC = CloudWatchMetric("Shop", "Latency", "Average", (("Service", "web"),), "web", "ms", "latency")


@pytest.fixture(scope="module")
def aws() -> Iterator[Callable[[str], Any]]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
    yield lambda name: boto3.client(name, endpoint_url=f"http://{host}:{port}", **keys)
    server.stop()


def test_metrics_logs_and_alarms_of_a_server(aws: Callable[[str], Any]) -> None:
    metrics, logs = aws("cloudwatch"), aws("logs")
    for minute in range(10):
        stamp = datetime.datetime.fromtimestamp(NOW - 60 * minute, datetime.UTC)
        metrics.put_metric_data(
            Namespace="Shop",
            MetricData=[
                {
                    "MetricName": "Latency", "Value": 100.0 + minute, "Timestamp": stamp,
                    "Dimensions": [{"Name": "Service", "Value": "web"}],
                }
            ],
        )  # fmt: skip
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    logs.put_log_events(
        logGroupName="g",
        logStreamName="s",
        logEvents=[
            {"timestamp": int((NOW - 300 + i) * 1000), "message": f"{'ERROR' if i % 2 else 'INFO'} order {i}"}
            for i in range(20)
        ],
    )
    metrics.put_metric_alarm(
        AlarmName="critical-latency", Namespace="Shop", MetricName="Latency", Statistic="Average", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        Dimensions=[{"Name": "Service", "Value": "web"}],
    )  # fmt: skip
    begin = NOW // 60 * 60 - 360
    source = CloudWatchTelemetryStreamer(
        [METRIC],
        # moto answers everything to a pattern it does not know: `words` are checked here
        [LogGroup("g", "web", pattern="{ $.level = ERROR }", words=("ERROR",))],
        "",
        client=aws,
        position={"metrics": begin, "logs:g": begin},
    )
    reading = source.read(NOW)
    points = [one for one in reading.records if isinstance(one, MetricPoint)]
    assert [(one.at, one.value, one.unit) for one in points] == [(begin + 60 * k, 106.0 - k, "ms") for k in range(5)]
    lines = [one for one in reading.records if isinstance(one, LogLine)]
    assert [one.message for one in lines] == [f"ERROR order {i}" for i in range(1, 20, 2)]
    assert {(one.level, one.component) for one in lines} == {("error", "web")}
    assert not [one for one in reading.records if isinstance(one, AlarmTransition)]
    assert source.read(NOW + 1).records == []  # before the interval is over
    metrics.set_alarm_state(AlarmName="critical-latency", StateValue="ALARM", StateReason="slow")
    later = source.read(NOW + 61)
    (alarm,) = [one for one in later.records if isinstance(one, AlarmTransition)]
    assert (alarm.alarm, alarm.after, alarm.severity, alarm.component) == (
        "critical-latency",
        "alarm",
        "critical",
        "web",
    )
    assert [one.at for one in later.records if isinstance(one, MetricPoint)] == [begin + 300]
    assert later.position == {"metrics": begin + 360, "logs:g": begin + 360}
    assert source.calls == 6


class Scripted:
    """A client that answers what it is given, in order; the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def _answer(self, **asked: Any) -> Any:
        self.asked.append(asked)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    get_metric_data = filter_log_events = describe_alarms = _answer


def throttled() -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "GetMetricData")


def page(values: dict[float, float], token: str = "", status: str = "Complete") -> dict[str, Any]:
    stamps = [datetime.datetime.fromtimestamp(at, datetime.UTC) for at in values]
    result = {"Id": "m0", "Timestamps": stamps, "Values": list(values.values()), "StatusCode": status}
    return {"MetricDataResults": [result]} | ({"NextToken": token} if token else {})


def streamer(client: Scripted, waits: list[float]) -> CloudWatchTelemetryStreamer:
    return CloudWatchTelemetryStreamer([METRIC], client=lambda _: client, sleep=waits.append)


END = (NOW - 60) // 60 * 60


def test_pages_are_followed_and_what_was_not_asked_for_is_dropped() -> None:
    client = Scripted(
        page({END - 60: 1.0, END - 600: 9.0}, "a", "PartialData"), page({END - 60: 1.0, END: 7.0, END - 30: 2.0})
    )
    reading = streamer(client, []).read(NOW)
    assert [one.value for one in reading.records] == [1.0, 2.0]
    assert reading.aside == {"outside": 3}
    assert client.asked[1]["NextToken"] == "a"


def test_throttling_is_waited_out_and_then_told_as_unknown() -> None:
    waits: list[float] = []
    client = Scripted(throttled(), throttled(), page({END - 60: 5.0}))
    assert [one.value for one in streamer(client, waits).read(NOW).records] == [5.0]
    assert len(waits) == 2
    assert waits[1] > waits[0] / 2

    client = Scripted(*[throttled()] * 4, page({END - 60: 5.0, END: 6.0}))
    source = streamer(client, waits)
    (gap,) = source.read(NOW).records
    assert (gap.kind, gap.reason, gap.begin, gap.end) == ("gap", "throttled", END - 60, END)
    # what was not answered is asked for again, whole
    assert [one.value for one in source.read(NOW + 60).records] == [5.0, 6.0]
    assert client.asked[-1]["StartTime"].timestamp() == END - 60


@pytest.mark.parametrize(
    ("error", "reason", "tries"),
    [
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), "unreachable", 4),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetMetricData"), "refused", 1),
    ],
)
def test_other_refusals_are_gaps_too(error: Exception, reason: str, tries: int) -> None:
    source = streamer(Scripted(error), [])
    (gap,) = source.read(NOW).records
    assert (gap.reason, source.calls) == (reason, tries)


def test_pages_without_an_end_are_given_up() -> None:
    client = Scripted(*[page({}, str(number)) for number in range(300)])
    (gap,) = streamer(client, []).read(NOW).records
    assert gap.reason == "too much"
    assert len(client.asked) == 200


def test_a_part_that_aws_could_not_work_out_is_a_gap() -> None:
    (gap,) = streamer(Scripted(page({}, status="InternalError")), []).read(NOW).records
    assert (gap.source, gap.reason) == ("Shop.Latency.Average", "refused")


def test_a_long_pause_is_a_gap_and_not_asked_for() -> None:
    client = Scripted(page({}))
    source = streamer(client, [])
    source.read(NOW)
    (gap,) = source.read(NOW + 86400).records
    assert gap.reason == "away too long"
    assert client.asked[1]["StartTime"].timestamp() == gap.end
