"""What can go wrong in the stand-in.

ServiceError    an error of the API, answered to the caller
ScenarioError   a scenario file that does not say what it should
"""

STATUS_BY_CODE = {
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "ExpiredToken": 403,
    "ExpiredTokenException": 403,
    "InternalException": 500,
    "InternalFailure": 500,
    "InternalServerException": 500,
    "InvalidSignatureException": 403,
    "MissingAuthenticationToken": 403,
    "MissingAuthenticationTokenException": 403,
    "ServerException": 500,
    "ServiceException": 500,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "TooManyRequestsException": 429,
    "UnrecognizedClientException": 403,
}
"""HTTP status by error code; every code that is not listed here is 400."""


class ServiceError(Exception):
    """An error of an API: `code` as on the wire, `message`, and the HTTP `status` that goes with it."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = STATUS_BY_CODE.get(code, 400) if status is None else status


class ScenarioError(Exception):
    """A scenario that cannot be played. One line: the file, the place within the document, the reason."""


def invalid_parameter(path: str, constraint: str) -> ServiceError:
    """`InvalidParameterException` in ECR's words: which parameter fails which constraint."""
    message = f"Invalid parameter at '{path}' failed to satisfy constraint: '{constraint}'"
    return ServiceError("InvalidParameterException", message)
