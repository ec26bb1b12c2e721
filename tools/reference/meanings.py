"""What each environment variable means, with its unit: one sentence, wherever it is read."""

from infra.local_system.settings import port_field
from infra.topology import TOPOLOGY, WORKLOADS

MEANINGS = {
    **{
        port_field(each.name).upper(): (
            f"Where {each.name} serves {'its API' if each.path else 'health'}."
        )
        for each in WORKLOADS
    },
    **{
        f"{each.name}_url".replace("-", "_").upper(): f"Where {each.name} answers."
        for each in WORKLOADS
        if each.path
    },
    **{
        f"{each.name}_profile".upper(): "The AWS profile of the domain, if it has its own account."
        for each in TOPOLOGY.domains
    },
    "LOG_LEVEL": "What is logged, to stdout.",
    "LOG_FORMAT": "One JSON object a line, or readable lines.",
    "AWS_REGION": "The region of all AWS calls.",
    "AWS_CLIENT": "What makes the calls that are made often: `lean`, our own client, or `boto3`.",
    "AWS_ENDPOINT_URL": "The address of an emulator of AWS.",
    "HTTP_ALLOWED_HOSTS": "Host headers to answer to, beside loopback's: names, or `*`.",
    "HTTP_HOST": "The address to listen on.",
    "HTTP_PORT": "The port to listen on.",
    "AUTH": "Whether each request needs a valid access token; `off` serves every client.",
    "AUTH_OFF_BEYOND_LOOPBACK": "Confirms `AUTH=off` where HTTP_HOST is not loopback; else it is"
    " refused.",
    "AUTH_ISSUER": "The issuer whose tokens are valid: exactly their `iss`.",
    "AUTH_AUDIENCE": "The audience of valid tokens (`aud`; Cognito's `client_id`); several with"
    " commas between.",
    "AUTH_JWKS_URL": "Where the issuer publishes its keys; https beyond a private network.",
    "AUTH_ALGORITHMS": "How tokens may be signed: `RS256`, `ES256` or both.",
    "AUTH_LEEWAY_SECONDS": "Seconds by which the issuer's clock may differ from ours.",
    "AUTH_SCOPE_PREFIX": "What each scope in a token begins with, slash included, as Cognito writes"
    " it.",
    "HTTP_MAX_CONNECTIONS_PER_CLIENT": "Connections from one address at a time, 0 any number; where"
    " it is not set 200 if `HTTP_HOST` is loopback, else any number.",
    "HTTP_DRAIN_SECONDS": "Seconds for which it serves on after SIGTERM, not ready: as long as a"
    " load balancer takes to notice.",
    "HEALTH_HOST": "The address of `/healthz`, `/readyz`, `/startupz` and `/metrics`.",
    "HEALTH_PORT": "Their port.",
    "QUEUE_WAIT_SECONDS": "Seconds that a receive waits for a message; a stop takes as long.",
    "MONGODB_URI": "The address of the replica set; its options set TLS and the CA bundle.",
    "MONGODB_DATABASE": "The database.",
    "MONGODB_MAX_TRANSACTIONS": "Transactions that a process has open at a time, at most.",
    "MONGODB_MAX_CURSORS": "The same for cursors: of lists, scans and a change stream.",
    "MONGODB_MAX_CONNECTIONS": "The same for connections, beside those that watch the servers.",
    "MONGODB_USERNAME": "With one of the two below, where the URI has no credentials.",
    "MONGODB_PASSWORD_FILE": "A file with the password, which is read again when the server refuses"
    " what was in it.",
    "MONGODB_PASSWORD": "The password; a new one needs a new process.",
    "WEBHOOK_SECRETS_FILE": "A file with what WEBHOOK_SECRETS would have, in place of it.",
    "WEBHOOK_SECRETS": "One to three `whsec_…` with commas between: any of them may have signed a"
    " webhook. Without any, no webhook is served.",
    "EVENT_VERSION": "The version of the events that it commits: 2 has no personal data in clear; 1"
    " is for readers of an older release.",
    "PACK_OUTBOX_ROWS": "Whether the detail of a DynamoDB outbox row is packed where that saves a"
    " write unit: once every relay of the system reads that.",
    "SEALING_KEY": "The KMS key of bank details: an alias to seal, the key's ARN to open.",
    "SUBSCRIPTIONS_TABLE": "The table of subscriptions.",
    "SUBSCRIPTIONS_OUTBOX_TABLE": "Its outbox.",
    "STOCK_TABLE": "The table of stock.",
    "STOCK_OUTBOX_TABLE": "Its outbox.",
    "STOCK_INVENTORY_TABLE": "The table of what is on hand and reserved.",
    "SUBSCRIPTION_CREATED_QUEUE": "The queue of SubscriptionCreated.",
    "SUBSCRIPTION_CANCELLED_QUEUE": "The queue of SubscriptionCancelled.",
    "SUBSCRIPTION_ERASED_QUEUE": "The queue of SubscriptionErased.",
    "STOCK_REJECTED_QUEUE": "The queue of StockRejected.",
    "PAYMENT_CANCELLED_QUEUE": "The queue of PaymentCancelled.",
    "OUTBOX_TABLE": "The outbox to empty; it needs a stream of new images.",
    "OUTBOX_COLLECTION": "The outbox to empty.",
    "EVENT_BUS": "The bus to publish on: the name of a Classic bus, the ARN of a Custom Event Bus.",
    "EVENT_BUS_KIND": "`custom` for a Custom Event Bus, which is not proven yet (decision 23).",
    "FIFO_QUEUE": "The queue between the change stream and the bus.",
    "DEAD_LETTER_QUEUE": "Where a row goes that can never be published.",
    "SWEEP_MIN_AGE_SECONDS": "Seconds after which a sweep publishes a row that is still there.",
    "SWEEP_INTERVAL_SECONDS": "Seconds from one sweep to the next.",
    "POLL_SECONDS": "Seconds to wait after a read of the stream that returned nothing.",
    "QUIET_POLL_SECONDS": "The same once nothing has come for 10 s.",
    "AWS_PORT": "MiniStack's port.",
    "EMULATOR_URL": "An emulator of AWS that runs already, in place of MiniStack.",
    "MONGODB_PORT": "mongod's port.",
    "CONSOLE_PORT": "The console's port.",
    "ISSUER_PORT": "Where the issuer of tokens answers, with AUTH=1.",
    "ISSUER_TOKEN_SECONDS": "Seconds that a token lives.",
    "ISSUER_FOLDER": "Where it keeps its keys and its clients' secrets.",
    "ISSUER_URL": "Its address, which is `iss` in every token.",
    "AUTH_TOKEN_URL": "Where an issuer gives tokens for client credentials.",
    "AUTH_CLIENT_ID": "The client that they are taken for.",
    "AUTH_CLIENT_SECRET": "Its secret; a new one needs a new process.",
    "AUTH_CLIENT_SECRET_FILE": "A file with its secret, which is read for each token.",
    "AUTH_CLIENT_SCOPE": "The scopes to ask for, with spaces between; else all that it may have.",
    "CONSOLE_TRY_CLIENT_ID": "The client that Try it takes tokens for; it has to be allowed to"
    " subscribe and to cancel payments.",
    "CONSOLE_TRY_CLIENT_SECRET": "Its secret; a new one needs a new process.",
    "CONSOLE_TRY_CLIENT_SECRET_FILE": "A file with its secret, which is read for each token.",
    "TAP_PORT": "Where the tap serves its health.",
    "STATE_DIR": "Where the engines keep their data; a folder of your own, closed to other users.",
    "RESTART": "Whether a process that died is restarted instead of stopping everything.",
    "BREAK": "Whether the console may stop processes, make buses refuse, and send poison messages.",
    "UP_LOG_LEVEL": "What the processes log; `LOG_LEVEL` of your shell does not reach them.",
    "UP_LOG_FORMAT": "One JSON object a line, or readable lines.",
    "ROWS": "Rows of the backlog.",
    "GOOD": "Good messages beside the poison.",
    "POISON": "Messages that can never be handled.",
    "CONNECTIONS": "Connections that hostile clients open.",
    "RATE": "Events a second on a bus that the console watches.",
    "SECONDS": "Seconds for which it does.",
    "STREAMED_AT": "The default of `--at`.",
    "STREAMED_AUDIT_FILE": "Where each message that is redriven or dropped gets its line.",
    "STREAMED_HOLD_SECONDS": "Seconds that received dead letters stay hidden from others.",
    "STREAMED_METRICS_URL": "Where a process shows its metrics, with `{process}` for its name;"
    " without it CloudWatch's are read.",
    "CONSOLE_HOST": "The address to listen on; any but loopback needs CONSOLE_ALLOWED_HOSTS.",
    "CONSOLE_NAME": "Distinguishes two consoles of one system: it is in the names of their queues.",
    "CONSOLE_ALLOWED_HOSTS": "Host headers to answer to beside loopback's, with commas between.",
    "CONSOLE_BREAKING_SOCKET": "The socket on which a local system's supervisor injects faults.",
    "CONSOLE_DEAD_LETTER_SECONDS": "Seconds from one read of the dead letters to the next.",
}
