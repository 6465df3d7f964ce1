"""The records of a log over time, through the graph."""

from typing import Any

from aiops.logs.v1 import logs_service_pb2
from chassis.errors import Unavailable
from gateway.testing.answers import an_id, logs
from gateway.testing.stack import Script, Stack

HISTOGRAM = """
query H($id: ID!, $filter: LogRecordFilter, $buckets: Int!) {
  log(id: $id) {
    name
    histogram(filter: $filter, buckets: $buckets) {
      bucketSeconds buckets { startTime count severityCounts { severity count } } untimedCount
    }
  }
}
"""
LINES = """
2026-03-01T10:00:58Z INFO web request served in 3 ms
2026-03-01T10:00:59Z INFO web request served in 5 ms
2026-03-01T10:01:00Z ERROR db connection refused
2026-03-01T10:01:04Z INFO web request served in 9 ms
no time in this line
"""


async def test_records_of_a_log_over_time(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        made = await gateway.mutate("summarizeLog", "log { id }", token=admin.token, name="web.log", text=LINES)
        log_id = made["log"]["id"]

        async def histogram(**variables: Any) -> Any:
            data = await gateway.data(HISTOGRAM, {"id": log_id, **variables}, token=admin.token)
            return data["log"]["histogram"]

        whole, errors = await histogram(buckets=60), await histogram(buckets=1, filter={"minimumSeverity": "ERROR"})
        coarse = await histogram(buckets=3)
        refused = await gateway.ask(HISTOGRAM, {"id": log_id, "buckets": 201}, token=admin.token)

    info = [{"severity": "INFO", "count": 1}]
    error = [{"severity": "ERROR", "count": 1}]
    assert whole["bucketSeconds"] == 1
    assert [(bucket["startTime"], bucket["count"], bucket["severityCounts"]) for bucket in whole["buckets"]] == [
        ("2026-03-01T10:00:58Z", 1, info),
        ("2026-03-01T10:00:59Z", 1, info),
        ("2026-03-01T10:01:00Z", 1, error),
        ("2026-03-01T10:01:01Z", 0, []),
        ("2026-03-01T10:01:02Z", 0, []),
        ("2026-03-01T10:01:03Z", 0, []),
        ("2026-03-01T10:01:04Z", 1, info),
    ]
    assert whole["untimedCount"] == 1
    assert errors == {
        "bucketSeconds": 1,
        "buckets": [{"startTime": "2026-03-01T10:01:00Z", "count": 1, "severityCounts": error}],
        "untimedCount": 0,
    }
    assert (coarse["bucketSeconds"], [bucket["count"] for bucket in coarse["buckets"]]) == (5, [2, 2])
    assert coarse["buckets"][1]["severityCounts"] == [*error, *info]
    assert refused["data"]["log"] == {"name": "web.log", "histogram": None}
    assert refused["errors"][0]["path"] == ["log", "histogram"]
    assert refused["errors"][0]["extensions"]["code"] == "INVALID_ARGUMENT"
    assert refused["errors"][0]["extensions"]["metadata"] == {"field": "buckets"}


async def test_histogram_that_cannot_be_had_costs_itself_alone(script: Script) -> None:
    script.logs.answers["BatchGetLogs"] = logs
    script.logs.answers["GetLogHistogram"] = Unavailable(dependency="postgres")

    body = await script.gateway.ask(HISTOGRAM, {"id": an_id(1), "buckets": 60}, token=script.token())

    assert body["data"]["log"]["histogram"] is None
    assert body["data"]["log"]["name"]
    (error,) = body["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["log", "histogram"], "UNAVAILABLE")


async def test_sixty_buckets_are_asked_for_by_default(script: Script) -> None:
    script.logs.answers["BatchGetLogs"] = logs
    script.logs.answers["GetLogHistogram"] = logs_service_pb2.GetLogHistogramResponse()

    query = f'{{ log(id: "{an_id(1)}") {{ histogram(filter: {{ text: "refused" }}) {{ untimedCount }} }} }}'
    data = await script.gateway.data(query, token=script.token())

    request = script.logs.requests[-1]
    assert isinstance(request, logs_service_pb2.GetLogHistogramRequest)
    assert (request.bucket_count, request.filter.log_id, request.filter.text) == (60, an_id(1), "refused")
    assert data["log"]["histogram"] == {"untimedCount": 0}
