"""Which family each error of AWS's and of botocore's belongs to, by its code or its class.

The codes are all that botocore's models list for the operations that are called (a test enumerates
them), and those that no model lists:
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
"""

from collections.abc import Mapping

from runtime.verdicts import Family, holds

_SERVER_ERROR = 500

# fmt: off
CODES: Mapping[Family, frozenset[str]] = {
    Family.AWAY: frozenset({
        "BadGateway", "DependencyTimeoutException", "GatewayTimeout", "IDPCommunicationError",
        "InternalError", "InternalException", "InternalFailure", "InternalServerError",
        "InternalServerException", "InternalServiceError", "InternalServiceException",
        "KMSInternalException", "RequestAbortedException", "RequestTimeout",
        "RequestTimeoutException", "ServiceException", "ServiceFailure", "ServiceUnavailable",
        "ServiceUnavailableException", "TransientError", "Unavailable",
    }),
    Family.THROTTLED: frozenset({
        "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceeded",
        "LimitExceededException", "OverLimit", "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException",
        "QuotaExceeded", "QuotaExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "ServiceQuotaExceededException", "SlowDown",
        "ThrottledException", "Throttling", "ThrottlingError", "ThrottlingException",
        "TooManyRequests", "TooManyRequestsException", "TransactionInProgressException",
    }),
    Family.CLOCK: frozenset({
        "InvalidSignatureException", "RequestExpired", "RequestInTheFuture",
        "RequestTimeTooSkewed", "SignatureDoesNotMatch",
    }),
    Family.EXPIRED: frozenset({
        "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired",
    }),
    Family.CREDENTIALS: frozenset({
        "AuthFailure", "IncompleteSignature", "IncompleteSignatureException",
        "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidIdentityToken", "InvalidToken",
        "MissingAuthenticationToken", "MissingAuthenticationTokenException",
        "UnrecognizedClient", "UnrecognizedClientException",
    }),
    Family.RIGHTS: frozenset({
        "AccessDenied", "AccessDeniedException", "AuthorizationError",
        "AuthorizationErrorException", "Blocked", "NotAuthorized", "NotAuthorizedException",
        "OperationDisabledException", "OptInRequired", "PendingVerification",
        "RegionDisabledException", "SubscriptionRequiredException", "UnauthorizedAccess",
        "UnauthorizedOperation",
    }),
    Family.KEYS: frozenset({
        "CloudHsmClusterInvalidConfigurationException", "CustomKeyStoreInvalidStateException",
        "CustomKeyStoreNotFoundException", "DisabledException", "InvalidGrantTokenException",
        "InvalidKeyUsageException", "InvalidKMSKey", "KeyUnavailableException", "KmsAccessDenied",
        "KMSAccessDeniedException", "KmsDisabled", "KMSDisabledException", "KmsInvalidKeyUsage",
        "KMSInvalidKeyUsageException", "KmsInvalidState", "KMSInvalidStateException",
        "KMSKeyNotAccessibleFault", "KmsNotFound", "KMSNotFoundException", "KMSOptInRequired",
        "KmsOptInRequired", "KmsThrottled", "KMSThrottlingException", "NotFoundException",
        "XksKeyAlreadyInUseException", "XksKeyInvalidConfigurationException",
        "XksKeyNotFoundException",
    }),
    Family.MISSING: frozenset({
        "InvalidAddress", "NonExistentQueue", "PolicyNotFoundException", "QueueDeletedRecently",
        "QueueDoesNotExist", "ResourceInUseException", "ResourceNotFound",
        "ResourceNotFoundException", "ResourceNotReadyException", "TableNotFoundException",
    }),
    Family.CONFIGURATION: frozenset({"InvalidSecurity"}),  # not over HTTPS
    Family.RACE: frozenset({
        "AlreadyExistsException", "ConcurrentModificationException", "ConditionalCheckFailed",
        "ConditionalCheckFailedException", "ConflictException", "DataAlreadyAcceptedException",
        "DuplicateItem",
        "IdempotentParameterMismatchException", "IllegalStatusException",
        "InvalidSequenceTokenException", "InvalidStateException", "OperationAbortedException",
        "PurgeQueueInProgress", "QueueNameExists", "ReplicatedWriteConflictException",
        "ResourceAlreadyExistsException", "TransactionCanceledException", "TransactionConflict",
        "TransactionConflictException",
    }),
    Family.POSITION: frozenset({
        "ExpiredIteratorException", "ExpiredNextTokenException", "InvalidIdFormat",
        "InvalidNextToken",
        "MessageNotInflight", "ReceiptHandleIsInvalid", "TrimmedDataAccessException",
    }),
    Family.ENTRY: frozenset({
        "BatchRequestTooLong", "IncorrectKeyException", "InvalidArgument",
        "InvalidAttributeValue", "InvalidCiphertextException", "InvalidInputException",
        "InvalidMessageContents",
        "InvalidParameterException", "InvalidParameterValue", "InvalidParameterValueException",
        "ItemCollectionSizeLimitExceeded", "ItemCollectionSizeLimitExceededException",
        "KMSInvalidSignatureException", "MalformedDetail", "MissingParameter",
        "NotAuthorizedForDetailTypeException", "NotAuthorizedForSourceException",
        "PayloadTooLarge", "RequestEntityTooLarge", "SerializationException", "ValidationError",
        "ValidationException",
    }),
    Family.REQUEST: frozenset({
        "BatchEntryIdsNotDistinct", "DryRunOperationException", "EmptyBatchRequest",
        "InvalidAction", "InvalidAliasNameException", "InvalidArnException",
        "InvalidAttributeName", "InvalidBatchEntryId", "InvalidEventPatternException",
        "InvalidParameterCombination", "InvalidQueryParameter",
        "MalformedPolicyDocumentException", "MalformedQueryString", "ManagedRuleException",
        "MissingAction", "PolicyLengthExceededException", "PublicPolicyException", "TagException",
        "TooManyEntriesInBatchRequest", "UnknownOperationException", "UnsupportedOperation",
        "UnsupportedOperationException",
    }),
}
# fmt: on

STATUSES: Mapping[int, Family] = {
    401: Family.CREDENTIALS,
    403: Family.RIGHTS,
    407: Family.AWAY,
    408: Family.AWAY,
    413: Family.ENTRY,
    429: Family.THROTTLED,
}
"""What an answer means whose code is in no list, as where a proxy gave it; 5xx is AWAY."""

# fmt: off
EXCEPTIONS: Mapping[Family, frozenset[str]] = {
    Family.AWAY: frozenset({
        "AwsChunkedWrapperError", "CapacityNotAvailableError", "ChecksumError",
        "ConnectionError", "EventStreamError", "FlexibleChecksumError", "HTTPClientError",
        "IncompleteReadError", "OSError", "ResponseParserError", "UnseekableStreamError",
        "WaiterError",
    }),
    Family.EXPIRED: frozenset({
        "CredentialRetrievalError", "LoginRefreshRequired", "MetadataRetrievalError",
        "TokenRetrievalError",
    }),
    Family.CREDENTIALS: frozenset({
        "LoginError", "NoAuthTokenError", "NoCredentialsError", "PartialCredentialsError",
        "RefreshWithMFAUnsupportedError", "SSOError", "UnknownCredentialError",
        "UnknownTokenProviderError",
    }),
    Family.CONFIGURATION: frozenset({
        "ApiVersionNotFoundError", "BaseEndpointResolverError", "ConfigNotFound",
        "ConfigParseError", "DataNotFoundError", "EndpointProviderError",
        "InvalidChecksumConfigError", "InvalidConfigError", "InvalidDefaultsMode",
        "InvalidEndpointConfigurationError", "InvalidEndpointDiscoveryConfigurationError",
        "InvalidIMDSEndpointError", "InvalidIMDSEndpointModeError", "InvalidProxiesConfigError",
        "InvalidRegionError", "InvalidRetryConfigurationError", "InvalidRetryModeError",
        "InvalidS3UsEast1RegionalEndpointConfigError", "InvalidSTSRegionalEndpointsConfigError",
        "MD5UnavailableError", "MissingDependencyException", "ProfileNotFound",
        "ServiceNotInRegionError", "UnknownRegionError", "UnknownSignatureVersionError",
        "UnsupportedServiceProtocolsError", "UnsupportedSignatureVersionError",
    }),
    Family.REQUEST: frozenset({
        "AliasConflictParameterError", "InvalidDNSNameError", "InvalidExpressionError",
        "InvalidHostLabelError", "InvalidMaxRetryAttemptsError", "InvalidS3AddressingStyleError",
        "MissingParametersError", "MissingServiceIdError", "OperationNotPageableError",
        "PaginationError", "ParamValidationError", "StubResponseError",
        "UndefinedModelAttributeError", "UnknownClientMethodError", "UnknownServiceStyle",
        "UnsupportedOutpostResourceError", "UnsupportedS3AccesspointConfigurationError",
        "UnsupportedS3ArnError", "UnsupportedS3ConfigurationError",
        "UnsupportedS3ControlArnError", "UnsupportedS3ControlConfigurationError",
        "ValidationError", "WaiterConfigError",
    }),
}
# fmt: on
"""botocore's exceptions that carry no code: the nearest base that is named here decides."""

_FAMILY_OF_CODE = {code: family for family, codes in CODES.items() for code in codes}
BOTOCORE_FAMILIES: Mapping[str, Family] = {
    **{name: family for family, names in EXCEPTIONS.items() for name in names},
    "BotoCoreError": Family.UNKNOWN,
}


def family_of_code(code: str, status: int = 0) -> Family:
    """The family of an error code; without one of ours, by the HTTP status.

    SQS writes some codes with a prefix (AWS.SimpleQueueService.NonExistentQueue), and passes those
    of KMS on with another (KMS.DisabledException). A 5xx never speaks against the work.
    """
    if code.startswith("KMS."):
        return Family.KEYS
    family = _FAMILY_OF_CODE.get(code.rpartition(".")[2])
    if status >= _SERVER_ERROR:
        return family if family is not None and holds(family) else Family.AWAY
    return family or STATUSES.get(status, Family.UNKNOWN)
