"""The records of a log over time, owned by logs."""

import strawberry
from google.protobuf.timestamp_pb2 import Timestamp

from aiops.logs.v1 import log_histogram_pb2
from aiops.logs.v1 import logs_service_pb2 as pb
from gateway.context import Info
from gateway.graph.log_records import LogRecordFilter, SeverityCount, record_filter

DEFAULT_BUCKETS = 60


@strawberry.type
class LogHistogramBucket:
    """One span of time."""

    start_time: Timestamp
    """Start of the bucket, inclusive."""
    count: int
    """Number of records."""
    severity_counts: list[SeverityCount]
    """Records by severity, the worst first; they add up to `count`."""

    @classmethod
    def of(cls, bucket: log_histogram_pb2.LogHistogramBucket) -> "LogHistogramBucket":
        """The bucket as logs counted it."""
        return cls(
            start_time=bucket.start_time,
            count=bucket.count,
            severity_counts=[SeverityCount.of(count) for count in bucket.severity_counts],
        )


@strawberry.type
class LogHistogram:
    """How the records of a log are spread over time."""

    bucket_seconds: int
    """Width of every bucket: a round number of seconds, minutes, hours or days."""
    buckets: list[LogHistogramBucket]
    """Adjacent buckets from the earliest to the latest record, empty ones between them included."""
    untimed_count: int
    """Records that do not say when they happened: they are in no bucket."""

    @classmethod
    def of(cls, histogram: log_histogram_pb2.LogHistogram) -> "LogHistogram":
        """The histogram as logs counted it."""
        return cls(
            bucket_seconds=histogram.bucket_seconds,
            buckets=[LogHistogramBucket.of(bucket) for bucket in histogram.buckets],
            untimed_count=histogram.untimed_count,
        )


async def get_log_histogram(info: Info, log_id: str, narrow: LogRecordFilter | None, buckets: int) -> LogHistogram:
    """The records of a log that the filter leaves, over time."""
    logs = info.context.logs
    request = pb.GetLogHistogramRequest(filter=record_filter(narrow, log_id), bucket_count=buckets)
    return LogHistogram.of((await logs.call(logs.rpc.GetLogHistogram, request)).histogram)
