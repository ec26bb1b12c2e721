"""Every number that verification/benchmarks/scaling.py begins with, its kind and its source."""

from dataclasses import dataclass
from typing import Literal

from relay.__main__ import FORWARDERS
from runtime.eventbridge import PUT_EVENTS_LIMITS
from runtime.outbox.dynamodb import MAX_DELETES
from runtime.sqs.queue import BATCH_LINGER_SECONDS, MAX_BATCH
from verification.benchmarks.calls.drain import LAMBDA_BATCH_SIZE
from verification.benchmarks.costs import deployment

Kind = Literal["quota", "measurement", "ours", "assumption"]
"""`quota`: AWS documents it. `measurement`: someone else published it. `ours`: a constant of this
repository, or measured with its code. `assumption`: no source; `Input.source` gives the reason."""


@dataclass(frozen=True)
class Input:
    """One number with its unit; `source` is an address, a file, or how it was found."""

    name: str
    value: float
    unit: str
    kind: Kind
    source: str


_AWS = "https://docs.aws.amazon.com/"
_EVENTBRIDGE = _AWS + "eventbridge/latest/userguide/eb-quota.html"
_DYNAMODB = _AWS + "amazondynamodb/latest/developerguide/"
_PARTITIONS = _AWS + "es_es/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html"
_ON_DEMAND = _DYNAMODB + "on-demand-capacity-mode.html"
_SQS = _AWS + "AWSSimpleQueueService/latest/SQSDeveloperGuide/"
_LAMBDA = _AWS + "lambda/latest/dg/"
_STUBBED = "measured here with stubbed AWS answers, times two: a vCPU is half a core; rounded up"

# What AWS allows in eu-west-1 for one account, before any quota is raised.

HTTP_ACCOUNT = Input(
    "API Gateway, all APIs of an account", 10_000, "requests/s", "quota",
    _AWS + "apigateway/latest/developerguide/limits.html",
)  # fmt: skip
PUT_EVENTS = Input("PutEvents, all buses of an account", 10_000, "calls/s", "quota", _EVENTBRIDGE)
PUT_EVENTS_ENTRIES = Input(
    "entries in a PutEvents call", PUT_EVENTS_LIMITS.entries, "entries", "quota", _EVENTBRIDGE
)
INVOCATIONS = Input(
    "rule invocations, all buses of an account", 18_750, "invocations/s", "quota", _EVENTBRIDGE
)
FIFO_CALLS = Input(
    "FIFO queue, calls of each action", 300, "calls/s", "quota",
    _SQS + "troubleshooting-fifo-throttling-issues.html",
)  # fmt: skip
FIFO_CALLS_HIGH = Input(
    "the same in high-throughput mode, eu-west-1", 70_000, "calls/s", "quota",
    _SQS + "quotas-messages.html",
)  # fmt: skip
SQS_BATCH = Input(
    "messages in an SQS call", MAX_BATCH, "messages", "quota", _SQS + "quotas-messages.html"
)
IN_FLIGHT = Input(
    "messages in flight, standard queue", 120_000, "messages", "quota",
    _SQS + "quotas-queues.html",
)  # fmt: skip
LAMBDA_CONCURRENCY = Input(
    "Lambda, concurrent executions of an account", 1000, "executions", "quota",
    "https://serverlessland.com/content/service/lambda/guides/aws-lambda-operator-guide/scaling-concurrency",
)  # fmt: skip
PARALLELIZATION_MOST = Input(
    "parallelization factor, at most", 10, "batches/shard", "quota",
    _LAMBDA + "services-ddb-params.html",
)  # fmt: skip
GET_RECORDS_BYTES = Input(
    "a GetRecords call returns, at most", 1024 * 1024, "bytes", "quota",
    _AWS + "amazondynamodb/latest/APIReference/API_streams_GetRecords.html",
)  # fmt: skip
LOG_CALLS = Input(
    "PutLogEvents, all log groups of an account", 5000, "calls/s", "quota",
    _AWS + "AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html",
)  # fmt: skip
LOG_POLICIES = Input(
    "resource policies of an account's logs", 10, "policies", "quota",
    _AWS + "AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html",
)  # fmt: skip
STREAM_POLL = Input(
    "Lambda looks at an idle shard every", 0.25, "s", "quota", _LAMBDA + "with-ddb.html"
)
PARTITION_WCU = Input("a DynamoDB partition writes", 1000, "WCU/s", "quota", _PARTITIONS)
TABLE_WCU = Input(
    "a DynamoDB table writes, at most", 40_000, "WCU/s", "quota", _DYNAMODB + "Limits.html"
)
NEW_TABLE_WCU = Input("a new on-demand table writes at once", 4000, "WCU/s", "quota", _ON_DEMAND)
TRANSACTION_FACTOR = Input(
    "a write in a transaction takes", 2, "times the WCU", "quota",
    _DYNAMODB + "transaction-apis.html",
)  # fmt: skip
WCU_BYTES = Input("a WCU writes", 1024, "bytes", "quota", _ON_DEMAND)

# What this repository sets. tests/unit/test_scaling_document.py compares with the code what could
# not be imported: a parameter's default, and what would start CDK.

HTTP_THROTTLE = Input("HTTP API throttle, each API", 100, "requests/s", "ours", "infra/aws/http.py")
HTTP_BURST = Input("HTTP API burst", 200, "requests", "ours", "infra/aws/http.py")
TASK_VCPU = Input(
    "a Fargate task has", deployment.TASK_PROCESSORS, "vCPU", "ours", "infra/aws/tasks.py"
)
LAMBDA_MEMORY = Input(
    "the relay function has",
    1024 * deployment.FUNCTION_GIGABYTES,
    "MiB",
    "ours",
    "infra/aws/relays.py",
)
RECORDS_OF_A_BATCH = Input(
    "records in a Lambda batch", LAMBDA_BATCH_SIZE, "records", "ours", "infra/aws/relays.py"
)
DELETES = Input(
    "rows deleted in a BatchWriteItem", MAX_DELETES, "rows", "ours", "runtime/outbox/dynamodb.py"
)
THREADS = Input(
    "threads of a consumer, each queue", 20, "threads", "ours", "runtime/sqs/consumer.py"
)
BATCH_LINGER = Input(
    "a free thread waits for others, at most",
    BATCH_LINGER_SECONDS,
    "s",
    "ours",
    "runtime/sqs/consumer.py",
)
FORWARDER_THREADS = Input(
    "forwarders of a process", FORWARDERS, "threads", "ours", "relay/__main__.py"
)

PUBLISHED_RATE = Input(
    "customers through the whole system on one machine", 42, "lifecycles/s", "ours",
    "docs/performance.json",
)  # fmt: skip

# The largest row that a lifecycle writes to each table, as the services' own stores write it, in
# version 2 of the wire; an outbox record has every optional field of its metadata.

SUBSCRIPTION_ROW = Input(
    "a row of subscriptions", 547, "bytes", "ours", "services/subscription/store.py"
)
SUBSCRIPTION_RECORD = Input(
    "an outbox record of a subscription, packed, at most", 970, "bytes", "ours",
    "runtime/outbox/packing.py",
)  # fmt: skip
STOCK_ROW = Input("a row of stock", 315, "bytes", "ours", "services/stock/store.py")
STOCK_RECORD = Input("an outbox record of stock", 810, "bytes", "ours", "services/stock/events.py")

# CPU, in seconds of one whole core.

CPU_REQUEST = Input("CPU of an API request", 0.005, "s", "ours", f"2.4 ms {_STUBBED}")
CPU_MESSAGE = Input("CPU of a consumed message", 0.003, "s", "ours", f"1.5 ms {_STUBBED}")
CPU_RECORD = Input("CPU of a relayed stream record", 0.0006, "s", "ours", f"0.3 ms {_STUBBED}")
CPU_FORWARDED = Input("CPU of a forwarded message", 0.0007, "s", "ours", f"0.32 ms {_STUBBED}")
CPU_DOCUMENT = Input(
    "CPU of a relayed document", 0.0006, "s", "ours",
    f"0.17 ms {_STUBBED}, with room for cursor and deletes",
)  # fmt: skip
FULL_CORE = Input(
    "MiB of Lambda memory that come with a vCPU", 1769, "MiB", "quota",
    _AWS + "fr_fr/lambda/latest/dg/configuration-memory.md",
)  # fmt: skip

# Latencies; scaling.py takes the mean of the lognormal distribution through p50 and p99.

READ_P50 = Input(
    "GetItem, p50", 0.010, "s", "measurement", "https://dynobase.dev/dynamodb-performance-latency/"
)
READ_P99 = Input("GetItem, p99", 0.030, "s", "assumption", "three times the p50")
COMMIT_P50 = Input("TransactWriteItems, p50", 0.020, "s", "assumption", "two phases: twice a read")
COMMIT_P99 = Input("TransactWriteItems, p99", 0.060, "s", "assumption", "three times the p50")
DELETE_P50 = Input("BatchWriteItem of 25, p50", 0.020, "s", "assumption", "as a transaction")
DELETE_P99 = Input("BatchWriteItem of 25, p99", 0.060, "s", "assumption", "as a transaction")
CALL_P50 = Input("a call to SQS or PutEvents, p50", 0.015, "s", "assumption", "within a region")
CALL_P99 = Input("a call to SQS or PutEvents, p99", 0.080, "s", "assumption", "within a region")

# Assumptions.

STREAM_SHARDS = Input(
    "open shards of a new table's stream", 4, "shards", "assumption",
    "one for each partition that 4 000 WCU/s need",
)  # fmt: skip
CLUSTER_COMMITS = Input(
    "a db.t4g.medium commits", 500, "transactions/s", "assumption", "two small shared cores"
)
CLUSTER_COMMITS_LARGE = Input(
    "a db.r6g.large commits", 1000, "transactions/s", "assumption", "two cores that are not shared"
)
CLUSTER_COMMITS_4XLARGE = Input(
    "a db.r6g.4xlarge commits", 5000, "transactions/s", "assumption", "eight times the cores"
)
ARCHIVED = Input(
    "invocations that an archive takes of an event", 1, "invocations", "assumption",
    "an archive is a managed rule on its bus; if AWS does not count it, there is more room",
)  # fmt: skip

INPUTS: tuple[Input, ...] = tuple(each for each in globals().values() if isinstance(each, Input))
