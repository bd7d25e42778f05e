"""What can go wrong in the stand-in.

ServiceError    an error of the API, answered to the caller
ScenarioError   a scenario file that does not say what it should
"""

STATUS_BY_CODE = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "InternalFailure": 500,
    "MissingAuthenticationTokenException": 403,
    "ServerException": 500,
    "ServiceUnavailable": 503,
}
"""HTTP status by error code; every code that is not listed here is 400."""


class ServiceError(Exception):
    """An error of ECR's API: `code` as on the wire (`__type`), `message`, and the HTTP `status` that goes with it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = STATUS_BY_CODE.get(code, 400)


class ScenarioError(Exception):
    """A scenario that cannot be played. One line: the file, the place within the document, the reason."""


def invalid_parameter(path: str, constraint: str) -> ServiceError:
    """`InvalidParameterException` in ECR's words: which parameter fails which constraint."""
    message = f"Invalid parameter at '{path}' failed to satisfy constraint: '{constraint}'"
    return ServiceError("InvalidParameterException", message)
