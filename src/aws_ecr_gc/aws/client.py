"""The one module of the product that imports botocore.

botocore decides about credentials, profiles, regions, endpoints, proxies, CA bundles, signing and retries. Its
exceptions end here: what leaves is an `errors.Error`.
"""

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import msgspec
from botocore import exceptions as boto
from botocore import xform_name
from botocore.config import Config
from botocore.loaders import JSONFileLoader, create_loader

from aws_ecr_gc import __version__
from aws_ecr_gc.aws.permissions import PERMISSIONS
from aws_ecr_gc.errors import AccessDenied, AwsFailure, Credentials, Error, Incomplete, Misuse, Unintelligible, one_line

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
_LOST_CREDENTIALS = (boto.CredentialRetrievalError, boto.SSOError, boto.TokenRetrievalError, boto.NoCredentialsError)
"""They can end in the middle of the work, when a role's session is to be renewed."""
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")


class _ModelFiles(JSONFileLoader):  # type: ignore[misc]  # botocore has no types
    """botocore's own description of AWS's APIs, decoded by msgspec: a tenth of the start-up is spent on it."""

    def load_file(self, file_path: str) -> Any:
        for path, read in ((Path(f"{file_path}.json"), bytes), (Path(f"{file_path}.json.gz"), gzip.decompress)):
            if path.is_file():
                return msgspec.json.decode(read(path.read_bytes()))
        return None


class Session:
    """The user's AWS configuration. Raises `Misuse` where it cannot be read or names no region."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        try:
            self._session = botocore.session.Session(profile=profile)
            loader = create_loader(self._session.get_config_variable("data_path"))
            loader.file_loader = _ModelFiles()
            self._session.register_component("data_loader", loader)
            self._session.set_default_client_config(self._client_config())
            self._demand_ca_bundle()
            self.region: str = (
                region or os.environ.get("AWS_REGION") or self._session.get_config_variable("region") or ""
            )
        except (boto.BotoCoreError, ValueError, OSError) as error:
            raise Misuse(f"AWS configuration: {one_line(error)}") from error
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
        stated = os.environ.get("AWS_MAX_ATTEMPTS") or profile.get("max_attempts")
        if not stated:
            retries["total_max_attempts"] = _ATTEMPTS
        elif not str(stated).isdecimal():
            raise Misuse(f"AWS configuration: AWS_MAX_ATTEMPTS or max_attempts is {stated!r}, not a whole number")
        return Config(retries=retries, user_agent_extra=f"aws-ecr-gc/{__version__}")

    def _demand_ca_bundle(self) -> None:
        bundle = self._session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
        if bundle and not Path(bundle).exists():
            raise Misuse(f"AWS configuration: the CA bundle {bundle} is not there: see AWS_CA_BUNDLE and ca_bundle")

    def _demand_credentials(self) -> None:
        """Get them now, so that what goes wrong on the way (SSO, roles, a process) is told apart from ECR's answers."""
        try:
            credentials = self._session.get_credentials()
            frozen = None if credentials is None else credentials.get_frozen_credentials()
        except (boto.BotoCoreError, boto.ClientError, ValueError, OSError, EOFError) as error:
            reason = one_line(error) or "no reason given"
            raise Credentials(
                f"credentials: {reason}; check AWS_PROFILE and the profile, or renew them, as with `aws sso login`",
                type(error).__name__,
            ) from error
        if frozen is None:
            raise Credentials(
                "credentials: none found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run "
                "where a role is at hand",
                "NoCredentials",
            )
        if any(part and not part.isprintable() for part in (frozen.access_key, frozen.secret_key, frozen.token)):
            raise Credentials(
                "credentials: a key or token holds a line break or another control character", "NoCredentials"
            )

    @property
    def partition(self) -> str:
        """The AWS partition of the region, such as `aws` or `aws-cn`."""
        try:
            return str(self._session.get_partition_for_region(self.region))
        except boto.UnknownRegionError:
            return "aws"

    def ecr(self, endpoint_url: str | None = None) -> "Client":
        """A client for ECR. Raises `Misuse` for a region or an endpoint that cannot be one, or bad credentials."""
        self._demand_credentials()
        try:
            client = self._session.create_client("ecr", region_name=self.region, endpoint_url=endpoint_url)
        except (boto.BotoCoreError, ValueError, OSError) as error:
            raise Misuse(f"AWS configuration: {one_line(error)}") from error
        try:
            _ = urlsplit(client.meta.endpoint_url).port
        except ValueError as error:
            raise Misuse(
                f"AWS configuration: endpoint {one_line(client.meta.endpoint_url)}: {one_line(error)}"
            ) from error
        return Client(client)


class Client:
    """ECR's API, one method for all calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._endpoint = one_line(client.meta.endpoint_url)

    def call(self, operation: str, answer: str, **parameters: object) -> dict[str, Any]:
        """Call an operation of ECR; `answer` is the member that its answer must have. Retries are botocore's."""
        try:
            answered: dict[str, Any] = getattr(self._client, xform_name(operation))(**parameters)
        except (boto.BotoCoreError, boto.ClientError) as error:
            raise self._translated(operation, error) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # botocore's parser trusts the shape of an answer, and stumbles over JSON of another.
            raise Unintelligible(f"{operation}: an answer that can't be understood: {one_line(error)}") from error
        if answered.get(answer) is None:
            raise Unintelligible(f"{operation}: the answer of {self._endpoint} has no {answer}")
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
        if isinstance(error, _LOST_CREDENTIALS):
            return Credentials(f"credentials: {one_line(error)}", type(error).__name__)
        if isinstance(error, (boto.HTTPClientError, boto.ConnectionError)):
            text = f"{operation}: {self._endpoint} can't be reached: {one_line(error)}"
            return AwsFailure(text, type(error).__name__)
        return AwsFailure(f"{operation}: {one_line(error)}", type(error).__name__)


def _translated_answer(operation: str, error: boto.ClientError) -> Error:
    details = error.response.get("Error", {})
    code = str(details.get("Code") or "Unknown")
    message = one_line(details.get("Message") or "no reason given")
    if code in _BAD_CREDENTIALS:
        return Credentials(f"credentials: AWS refused them ({code}): {message}; renew them, or check AWS_PROFILE", code)
    if code in _ACCESS_DENIED:
        named = _ACTION.search(message)
        action = named[1] if named else PERMISSIONS[operation].action
        return AccessDenied(f"access denied: the permission {action} is missing: {message}", code)
    return AwsFailure(f"{operation}: {code}: {message}", code)
