"""The one module that imports botocore.

botocore decides about credentials, profiles, regions, endpoints, proxies, CA bundles, signing and retries. Its
exceptions end here: what leaves is an `errors.Error`.
"""

import os
import re
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore import exceptions as boto
from botocore.config import Config

from aws_ecr_gc import __version__
from aws_ecr_gc.aws.permissions import PERMISSIONS
from aws_ecr_gc.errors import AccessDenied, AwsFailure, Credentials, Error, Incomplete, Misuse, Unintelligible

_ATTEMPTS = 8
"""How often a call is tried unless the user's AWS configuration says otherwise: Describe* limits are low."""

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
_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.UnknownCredentialError,
    boto.RefreshWithMFAUnsupportedError,
    boto.MetadataRetrievalError,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.InvalidConfigError,
    boto.InfiniteLoopConfigError,
)
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")


class Session:
    """The user's AWS configuration. Raises `Misuse` where it cannot be read or names no region."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        try:
            self._session = botocore.session.Session(profile=profile)
            self._session.set_default_client_config(self._client_config())
            self.region: str = (
                region or os.environ.get("AWS_REGION") or self._session.get_config_variable("region") or ""
            )
        except (boto.BotoCoreError, ValueError) as error:
            raise Misuse(f"AWS configuration: {_one_line(error)}") from error
        if not self.region:
            raise Incomplete(
                "no region: give --region, or set AWS_REGION, AWS_DEFAULT_REGION or a region in the profile"
            )

    def _client_config(self) -> Config:
        """Standard retries with `_ATTEMPTS`, but for what the user's environment or profile sets."""
        profile = self._session.get_scoped_config()
        retries: dict[str, Any] = {}
        if not (os.environ.get("AWS_RETRY_MODE") or profile.get("retry_mode")):
            retries["mode"] = "standard"
        if not (os.environ.get("AWS_MAX_ATTEMPTS") or profile.get("max_attempts")):
            retries["total_max_attempts"] = _ATTEMPTS
        return Config(retries=retries, user_agent_extra=f"aws-ecr-gc/{__version__}")

    @property
    def partition(self) -> str:
        """The AWS partition of the region, such as `aws` or `aws-cn`."""
        try:
            return str(self._session.get_partition_for_region(self.region))
        except boto.UnknownRegionError:
            return "aws"

    def ecr(self, endpoint_url: str | None = None) -> "Client":
        """A client for ECR. Raises `Misuse` for a region or an endpoint that cannot be one."""
        try:
            return Client(
                self._session.create_client("ecr", region_name=self.region, endpoint_url=endpoint_url),
                self.region,
            )
        except (boto.BotoCoreError, ValueError) as error:
            raise Misuse(f"AWS configuration: {_one_line(error)}") from error


class Client:
    """ECR's API, one method for all calls."""

    def __init__(self, client: Any, region: str) -> None:
        self._client = client
        self._region = region

    def call(self, operation: str, answer: str, **parameters: object) -> dict[str, Any]:
        """Call an operation of ECR; `answer` is the member that its answer must have. Retries are botocore's."""
        method = self._client.meta.method_to_api_mapping
        name = next(python_name for python_name, api_name in method.items() if api_name == operation)
        try:
            answered: dict[str, Any] = getattr(self._client, name)(**parameters)
        except (boto.BotoCoreError, boto.ClientError) as error:
            raise self._translated(operation, error) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # botocore's parser trusts the shape of an answer, and stumbles over JSON of another.
            raise Unintelligible(f"{operation}: an answer that can't be understood: {_one_line(error)}") from error
        if answered.get(answer) is None:
            raise Unintelligible(f"{operation}: the answer of {self._client.meta.endpoint_url} has no {answer}")
        return answered

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def decode(self, operation: str, decoder: Callable[[bytes], dict[str, object] | None]) -> None:
        """Let `decoder` read the bodies of this operation's answers in place of botocore's parser.

        It returns the members of the answer, or None to leave the body to botocore. Rides on botocore's event
        before-parse, which is little documented: tests/registries pins it.
        """

        def before_parse(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
            if response_dict["status_code"] != 200:
                return
            decoded = decoder(response_dict["body"])
            if decoded is not None:
                customized_response_dict.update(decoded)
                response_dict["body"] = b"{}"

        self._client.meta.events.register(f"before-parse.ecr.{operation}", before_parse)

    def _translated(self, operation: str, error: Exception) -> Error:
        if isinstance(error, boto.ClientError):
            return _translated_answer(operation, error)
        if isinstance(error, _NO_CREDENTIALS):
            return Credentials(f"credentials: {_one_line(error)}", type(error).__name__)
        if isinstance(error, (boto.HTTPClientError, boto.ConnectionError)):
            text = f"{operation}: {self._client.meta.endpoint_url} can't be reached: {_one_line(error)}"
            return AwsFailure(text, type(error).__name__)
        return AwsFailure(f"{operation}: {_one_line(error)}", type(error).__name__)


def _translated_answer(operation: str, error: boto.ClientError) -> Error:
    details = error.response.get("Error", {})
    code = str(details.get("Code") or "Unknown")
    message = _one_line(details.get("Message") or "no reason given")
    if code in _BAD_CREDENTIALS:
        return Credentials(f"credentials: AWS refused them ({code}): {message}; renew them, or check AWS_PROFILE", code)
    if code in _ACCESS_DENIED:
        named = _ACTION.search(message)
        action = named[1] if named else PERMISSIONS[operation].action
        return AccessDenied(f"access denied: the permission {action} is missing: {message}", code)
    return AwsFailure(f"{operation}: {code}: {message}", code)


def _one_line(text: object) -> str:
    """A foreign text, on one line and not endless: an error page can be a whole HTML document."""
    line = " ".join(str(text).split())
    return line if len(line) <= 500 else f"{line[:500]}..."
