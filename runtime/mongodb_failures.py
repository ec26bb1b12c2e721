"""Which family each error of MongoDB's, DocumentDB's and pymongo's belongs to.

Codes: https://www.mongodb.com/docs/manual/reference/error-codes/. Those that drivers take for a
primary that is gone, or for retryable, are named in the driver specifications:
https://github.com/mongodb/specifications/tree/master/source/retryable-writes
"""

from collections.abc import Collection, Mapping

from runtime.verdicts import Family

CODES: Mapping[Family, Mapping[int, str]] = {
    Family.AWAY: {
        6: "HostUnreachable",
        7: "HostNotFound",
        24: "LockTimeout",
        46: "LockBusy",
        50: "MaxTimeMSExpired",
        64: "WriteConcernTimeout",
        89: "NetworkTimeout",
        90: "CallbackCanceled",
        91: "ShutdownInProgress",
        94: "NotYetInitialized",
        100: "UnsatisfiableWriteConcern",
        109: "ConfigurationInProgress",
        133: "FailedToSatisfyReadPreference",
        134: "ReadConcernMajorityNotAvailableYet",
        141: "SSLHandshakeFailed",
        145: "PooledConnectionsDropped",
        189: "PrimarySteppedDown",
        202: "NetworkInterfaceExceededTimeLimit",
        216: "ElectionInProgress",
        230: "DNSHostNotFound",
        262: "ExceededTimeLimit",
        279: "ClientDisconnect",
        281: "TransactionCoordinatorSteppingDown",
        282: "TransactionCoordinatorReachedAbortDecision",
        290: "TransactionExceededLifetimeLimitSeconds",
        303: "SplitHorizonChange",
        317: "ConnectionPoolExpired",
        355: "InterruptedDueToStorageChange",
        358: "InternalTransactionNotSupported",
        363: "RetryableTransactionInProgress",
        371: "UserWritesBlocked",
        384: "ConnectionError",
        407: "PooledConnectionAcquisitionExceededTimeLimit",
        9001: "SocketException",
        10058: "LegacyNotPrimary",
        10107: "NotWritablePrimary",
        11600: "InterruptedAtShutdown",
        11601: "Interrupted",
        11602: "InterruptedDueToReplStateChange",
        13388: "StaleConfig",
        13435: "NotPrimaryNoSecondaryOk",
        13436: "NotPrimaryOrSecondary",
        46841: "ClientMarkedKilled",
        91331: "RetriableRemoteCommandFailure",
    },
    Family.THROTTLED: {
        146: "ExceededMemoryLimit",
        208: "TooManyLocks",
        261: "TooManyLogicalSessions",
        264: "TooManyFilesOpen",
        365: "TemporarilyUnavailable",
        388: "TransactionTooLargeForCache",
        402: "ResourceExhausted",
        433: "AdmissionQueueOverflow",
        449: "RateLimitExceeded",
        450: "PooledConnectionAcquisitionRejected",
        462: "IngressRequestRateLimitExceeded",
        14031: "OutOfDiskSpace",
        16500: "TooManyRequests",
    },
    Family.CLOCK: {
        106: "DistributedClockSkewed",
        204: "TimeProofMismatch",
        205: "ClusterTimeFailsRateLimiter",
        210: "CannotVerifyAndSignLogicalTime",
        211: "KeyNotFound",
    },
    Family.EXPIRED: {391: "ReauthenticationRequired", 392: "InvalidJWT"},
    Family.CREDENTIALS: {
        11: "UserNotFound",
        18: "AuthenticationFailed",
        334: "MechanismUnavailable",
        8000: "AtlasError",
    },
    Family.RIGHTS: {
        13: "Unauthorized",
        31: "RoleNotFound",
        33: "PrivilegeNotFound",
        214: "AuthenticationRestrictionUnmet",
        404: "LDAPRoleAcquisitionError",
    },
    Family.KEYS: {389: "LibmongocryptError"},
    Family.MISSING: {
        26: "NamespaceNotFound",
        71: "ReplicaSetNotFound",
        123: "NotAReplicaSet",
        215: "DatabaseDropPending",
        376: "ChangeStreamNotEnabled",
    },
    Family.RACE: {
        112: "WriteConflict",
        117: "ConflictingOperationInProgress",
        225: "TransactionTooOld",
        239: "SnapshotTooOld",
        246: "SnapshotUnavailable",
        251: "NoSuchTransaction",
        256: "TransactionCommitted",
        267: "PreparedTransactionInProgress",
        11000: "DuplicateKey",
    },
    Family.POSITION: {
        43: "CursorNotFound",
        96: "OperationFailed",
        136: "CappedPositionLost",
        143: "CursorInUse",
        175: "QueryPlanKilled",
        222: "CloseChangeStream",
        234: "RetryChangeStream",
        237: "CursorKilled",
        260: "InvalidResumeToken",
        280: "ChangeStreamFatalError",
        286: "ChangeStreamHistoryLost",
        314: "ObjectIsBusy",
        346: "ChangeStreamInvalidated",
    },
    Family.ENTRY: {
        2: "BadValue",
        9: "FailedToParse",
        14: "TypeMismatch",
        15: "Overflow",
        16: "InvalidLength",
        22: "InvalidBSON",
        52: "DollarPrefixedFieldName",
        53: "InvalidIdField",
        56: "EmptyFieldName",
        57: "DottedFieldName",
        66: "ImmutableField",
        116: "DocTooLargeForCapped",
        121: "DocumentValidationFailure",
        257: "TransactionTooLarge",
        357: "InvalidBSONType",
        378: "NonConformantBSON",
        10334: "BSONObjectTooLarge",
        17280: "KeyTooLong",
    },
    Family.REQUEST: {
        20: "IllegalOperation",
        27: "IndexNotFound",
        40: "ConflictingUpdateOperators",
        48: "NamespaceExists",
        59: "CommandNotFound",
        68: "IndexAlreadyExists",
        72: "InvalidOptions",
        73: "InvalidNamespace",
        85: "IndexOptionsConflict",
        86: "IndexKeySpecsConflict",
        115: "CommandNotSupported",
        166: "CommandNotSupportedOnView",
        238: "NotImplemented",
        263: "OperationNotSupportedInTransaction",
        322: "APIVersionError",
        323: "APIStrictError",
        40414: "FailedToParseCommand",
        40415: "UnknownField",
    },
}
"""The server's codes and their names; 8000 is a hosted server's refusal of a login, 16500 a hosted
server's throttle."""

LABELS: Mapping[str, Family] = {
    "SystemOverloadedError": Family.THROTTLED,
    "TransientTransactionError": Family.AWAY,
    "UnknownTransactionCommitResult": Family.AWAY,
    "RetryableWriteError": Family.AWAY,
    "RetryableError": Family.AWAY,
    "ResumableChangeStreamError": Family.AWAY,
}
"""What the server or the driver says of an error beside its code: the same may pass again."""

MESSAGES: Mapping[str, Family] = {"too many cursors are already opened": Family.THROTTLED}
"""What DocumentDB says of an instance's quota, whose code AWS documents nowhere. As it was seen:
https://github.com/PeerDB-io/peerdb/blob/main/flow/connectors/mongo/mongo.go"""

EXCEPTIONS: Mapping[Family, frozenset[str]] = {
    Family.AWAY: frozenset(
        {
            "AutoReconnect",
            "ConnectionFailure",
            "ExecutionTimeout",
            "OSError",
            "ProtocolError",
            "ServerSelectionTimeoutError",
            "WriteConcernError",
            "_PoolClosedError",
        }
    ),
    Family.THROTTLED: frozenset({"WaitQueueTimeoutError"}),
    Family.KEYS: frozenset({"EncryptionError"}),
    Family.CONFIGURATION: frozenset({"ConfigurationError"}),
    Family.POSITION: frozenset({"CursorNotFound"}),
    Family.RACE: frozenset({"DuplicateKeyError"}),
    Family.ENTRY: frozenset({"BSONError", "DocumentTooLarge"}),
    Family.REQUEST: frozenset({"CollectionInvalid", "InvalidName", "InvalidOperation"}),
}
"""The driver's exceptions: the nearest base that is named here decides."""

_FAMILY_OF_CODE = {code: family for family, codes in CODES.items() for code in codes}
PYMONGO_FAMILIES: Mapping[str, Family] = {
    **{name: family for family, names in EXCEPTIONS.items() for name in names},
    "PyMongoError": Family.UNKNOWN,
}


def family_of_code(code: int | None, labels: Collection[str] = (), message: str = "") -> Family:
    """The family of a server's error; a label that says that it may pass again decides.

    Without one, what its message says does, before its code.
    """
    for label, family in LABELS.items():
        if label in labels:
            return family
    for text, family in MESSAGES.items():
        if text in message:
            return family
    return _FAMILY_OF_CODE.get(code, Family.UNKNOWN) if code is not None else Family.UNKNOWN


def name_of_code(code: int) -> str:
    """The server's name for a code; empty for one in no list."""
    return next((codes[code] for codes in CODES.values() if code in codes), "")
