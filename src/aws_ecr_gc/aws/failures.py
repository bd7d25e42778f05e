"""What botocore raises and what AWS answers, as errors of the program: none of botocore's own leaves this package."""

import re
from typing import Any

from botocore import exceptions as boto

from aws_ecr_gc.errors import AccessDenied, AwsFailure, Credentials, Error, Passing, one_line

_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_ACCESS_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_PASSING = frozenset(
    {
        "InternalFailure",
        "InternalError",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServerException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_LOST_CREDENTIALS = (boto.CredentialRetrievalError, boto.SSOError, boto.TokenRetrievalError, boto.NoCredentialsError)
"""They can end in the middle of the work, when a role's session is to be renewed."""
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")


def translated(operation: str, error: Exception, *, endpoint: str, prefix: str) -> Error:
    """What went wrong with a call. `prefix` is that of the service's actions in IAM, such as `ecr`."""
    if isinstance(error, boto.ClientError):
        return _translated_answer(operation, error, prefix)
    if isinstance(error, _LOST_CREDENTIALS):
        return Credentials(f"credentials: {one_line(error)}", type(error).__name__)
    if isinstance(error, (boto.HTTPClientError, boto.ConnectionError)):
        return Passing(f"{operation}: {endpoint} can't be reached: {one_line(error)}", type(error).__name__)
    return AwsFailure(f"{operation}: {one_line(error)}", type(error).__name__)


def is_refused(answered: dict[str, Any]) -> bool:
    """Whether an answer says that too many calls came."""
    status = answered.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status == 429 or answered.get("Error", {}).get("Code") in _THROTTLED


def _translated_answer(operation: str, error: boto.ClientError, prefix: str) -> Error:
    details = error.response.get("Error", {})
    code = str(details.get("Code") or "Unknown")
    message = one_line(details.get("Message") or "no reason given")
    if code in _BAD_CREDENTIALS:
        return Credentials(f"credentials: AWS refused them ({code}): {message}; renew them, or check AWS_PROFILE", code)
    if code in _ACCESS_DENIED:
        named = _ACTION.search(message)
        action = named[1] if named else f"{prefix}:{operation}"
        return AccessDenied(f"access denied: the permission {action} is missing: {message}", code)
    passing = code in _PASSING or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
    return (Passing if passing else AwsFailure)(f"{operation}: {code}: {message}", code)
