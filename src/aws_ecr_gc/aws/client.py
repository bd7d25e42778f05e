"""The door to botocore: beside it only `transport.py` imports it, for the inside of this module's clients.

botocore decides about credentials, profiles, regions, endpoints, proxies, CA bundles, signing and retries. Its
exceptions end here: what leaves is an `errors.Error`.
"""

import copy
import functools
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import botocore.session
from botocore import exceptions as boto
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.httpsession import URLLib3Session
from botocore.response import StreamingBody
from botocore.utils import get_environ_proxies

from aws_ecr_gc import __version__
from aws_ecr_gc.aws.models import loader
from aws_ecr_gc.aws.pacing import Traffic
from aws_ecr_gc.aws.transport import ride
from aws_ecr_gc.errors import (
    AccessDenied,
    AwsFailure,
    Credentials,
    Error,
    Incomplete,
    Misuse,
    Passing,
    Unintelligible,
    one_line,
)

_CHUNK = 1 << 16
_ATTEMPTS = 8
"""How often a call is tried unless the user's AWS configuration says otherwise: Describe* limits are low."""

CONNECTIONS = 10
"""How many a client keeps open, unless more are asked for."""

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
_TOKENS = ("nextToken", "NextToken", "Marker", "marker")
_NEXT_TOKENS = ("nextToken", "NextToken", "NextMarker", "Marker", "nextMarker")
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")


class Session:
    """The user's AWS configuration. Raises `Misuse` where it cannot be read or names no region."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        try:
            self._session = botocore.session.Session(profile=profile)
            models = loader(self._session.get_config_variable("data_path"))
            self._session.register_component("data_loader", models)
            self._session.set_default_client_config(self._client_config())
            self._demand_ca_bundle()
            self._stated_region: str = (
                region or os.environ.get("AWS_REGION") or self._session.get_config_variable("region") or ""
            )
            self.region = true_region(self._stated_region)
        except (boto.BotoCoreError, ValueError, OSError) as error:
            raise Misuse(f"AWS configuration: {one_line(error)}") from error
        if not self.region:
            raise Incomplete(
                "no region: give --region, or set AWS_REGION, AWS_DEFAULT_REGION or a region in the profile"
            )
        self._making = threading.Lock()

    @property
    def stated_region(self) -> str:
        """The region as it was stated: an alias that turns on FIPS endpoints stays one."""
        return self._stated_region

    def there(self, region: str) -> "Session":
        """The same in another region."""
        return self._with(_stated_region=region, region=true_region(region))

    def entered(self, grant: Callable[[], "Granted"]) -> "Session":
        """The same with credentials that `grant` gives, and gives again when they are about to expire.

        Raises what `grant` raises.
        """
        session = botocore.session.Session(profile=self._session.profile)
        session.register_component("data_loader", self._session.get_component("data_loader"))
        session.set_default_client_config(self._session.get_default_client_config())
        session.register_component("credential_provider", _Entered(grant))
        return self._with(_session=session, _making=threading.Lock())

    def _with(self, **changes: object) -> "Session":
        other = copy.copy(self)
        vars(other).update(changes)
        return other

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
        return self.partition_of(self.region) or "aws"

    def partition_of(self, region: str) -> str | None:
        """That of any region, by the shape of its name too; None where no partition has regions of such names."""
        try:
            return str(self._session.get_partition_for_region(true_region(region)))
        except boto.UnknownRegionError:
            return None

    def ecr(
        self, endpoint_url: str | None = None, *, connections: int = CONNECTIONS, traffic: Traffic | None = None
    ) -> "Client":
        """A client for ECR. Raises what `client` raises."""
        return self.client("ecr", endpoint_url=endpoint_url, connections=connections, traffic=traffic)

    def client(
        self,
        service: str,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        credentials: "Keys | None" = None,
        connections: int = CONNECTIONS,
        attempts: int | None = None,
        before_call: Callable[[str], None] = lambda _: None,
        traffic: Traffic | None = None,
    ) -> "Client":
        """A client for a service, with this session's credentials or those of an assumed role.

        `connections` is how many it keeps open at most; `before_call` is told of each operation before it is called,
        `traffic` of each try, those that botocore makes again among them.
        `attempts` is how often a call is tried, whatever the user says: for calls that must not be repeated unseen.
        Raises `Misuse` for a region or an endpoint that cannot be one, or bad credentials.
        """
        keys = (None, None, None) if credentials is None else credentials
        retries = {} if attempts is None else {"retries": {"mode": "standard", "total_max_attempts": attempts}}
        try:
            with self._making:  # botocore's sessions are not for several threads
                if credentials is None:
                    self._demand_credentials()
                client = self._session.create_client(
                    service,
                    region_name=region or self._stated_region,
                    endpoint_url=endpoint_url,
                    aws_access_key_id=keys[0],
                    aws_secret_access_key=keys[1],
                    aws_session_token=keys[2],
                    config=Config(max_pool_connections=connections, **retries),
                )
        except (boto.BotoCoreError, ValueError, OSError) as error:
            raise Misuse(f"AWS configuration: {one_line(error)}") from error
        try:
            _ = urlsplit(client.meta.endpoint_url).port
        except ValueError as error:
            raise Misuse(
                f"AWS configuration: endpoint {one_line(client.meta.endpoint_url)}: {one_line(error)}"
            ) from error
        if service == "ecr":
            ride(client, connections)
        if traffic is not None:
            _listen(client, traffic)
        return Client(client, before_call, traffic)

    def listed(self, service: str) -> list[str]:
        """The regions of the partition that botocore's endpoint data list for a service."""
        return [str(each) for each in self._session.get_available_regions(service, self.partition)]

    def web(self, connections: int = 10) -> "Web":
        """What downloads from the URLs that AWS gives out."""
        bundle = self._session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
        return Web(bundle or True, connections)

    def lists(self, service: str, region: str) -> bool:
        """Whether botocore's endpoint data list a service for a region."""
        try:
            partition = self._session.get_partition_for_region(region)
            return region in self._session.get_available_regions(service, partition)
        except (boto.UnknownRegionError, boto.UnknownServiceError):
            return False


def _listen(client: Any, traffic: Traffic) -> None:
    """Let each try wait for its turn, before it is signed, and hear which are refused, those that are tried again too.

    Rides on botocore's events request-created and response-received; tests/registries pins them.
    """

    def leaving(operation_name: str, **_: object) -> None:
        traffic.leaving(operation_name)

    def received(event_name: str, parsed_response: dict[str, Any] | None, **_: object) -> None:
        if parsed_response is not None and _is_refused(parsed_response):
            traffic.refused(event_name.rpartition(".")[2])

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"request-created.{service}", leaving)
    client.meta.events.register(f"response-received.{service}", received)


def _is_refused(answered: dict[str, Any]) -> bool:
    """Whether an answer says that too many calls came."""
    status = answered.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status == 429 or answered.get("Error", {}).get("Code") in _THROTTLED


def true_region(stated: str) -> str:
    """The region that botocore takes for one of the aliases by which it turns on FIPS endpoints: `us-east-1-fips`."""
    return stated.replace("fips-", "").replace("-fips", "")


class Granted(NamedTuple):
    """Credentials of an assumed role, and when they expire, as AWS writes times."""

    access_key: str
    secret_key: str
    token: str
    expires_at: datetime


class _Entered:
    """What botocore asks for credentials: those of an assumed role, renewed before they expire."""

    def __init__(self, grant: Callable[[], Granted]) -> None:
        def renewed() -> dict[str, str]:
            granted = grant()
            return {
                "access_key": granted.access_key,
                "secret_key": granted.secret_key,
                "token": granted.token,
                "expiry_time": granted.expires_at.isoformat(),
            }

        self._credentials = RefreshableCredentials.create_from_metadata(renewed(), renewed, "assume-role")

    def load_credentials(self) -> RefreshableCredentials:
        return self._credentials


class Web:
    """Plain downloads, with botocore's own HTTP client: its proxies, and the authorities of the AWS configuration."""

    def __init__(self, verify: str | bool, connections: int) -> None:
        self._verify = verify
        self._connections = connections
        self._session_by = functools.lru_cache(None)(self._session)

    def download(self, url: str) -> Iterator[bytes]:
        """What a URL answers to GET, whole, or as far as it comes. It is asked when the first of it is wanted.

        Raises Passing for whatever is no 200, and where the answer breaks off: the URL may have expired. No message
        holds the URL, for it is signed.
        """
        host = one_line(urlsplit(url).hostname)
        proxies = tuple(sorted(get_environ_proxies(url).items()))
        request = AWSPreparedRequest("GET", url, {"Accept-Encoding": "identity"}, None, stream_output=True)
        try:
            answer = self._session_by(proxies).send(request)
        except boto.BotoCoreError as error:
            raise _no_download(host, error) from error
        if answer.status_code != 200:
            answer.raw.release_conn()
            raise Passing(f"the download from {host} was answered {answer.status_code}", f"Http{answer.status_code}")

        try:
            yield from StreamingBody(answer.raw, answer.headers.get("Content-Length")).iter_chunks(_CHUNK)
        except boto.BotoCoreError as error:
            raise _no_download(host, error) from error
        finally:
            answer.raw.close()

    def close(self) -> None:
        """Give the connections back."""
        self._session_by.cache_clear()

    def _session(self, proxies: tuple[tuple[str, str], ...]) -> Any:
        return URLLib3Session(
            verify=self._verify, proxies=dict(proxies), max_pool_connections=self._connections, timeout=60
        )


def _no_download(host: str, error: Exception) -> Passing:
    return Passing(f"the download from {host} broke off: {type(error).__name__}", type(error).__name__)


class Keys(NamedTuple):
    """Credentials of an assumed role."""

    access_key: str
    secret_key: str
    token: str


class Client:
    """A service's API, one method for all calls."""

    def __init__(
        self, client: Any, before_call: Callable[[str], None] = lambda _: None, traffic: Traffic | None = None
    ) -> None:
        self._client = client
        self._before_call = before_call if traffic is None else traffic.calling
        self._traffic = traffic
        self._endpoint = one_line(client.meta.endpoint_url)
        self._prefix = str(client.meta.service_model.signing_name)
        self._tokens: dict[str, tuple[str, str] | None] = {}
        self._presigning = threading.Lock()

    def call(self, operation: str, answer: str, **parameters: object) -> dict[str, Any]:
        """Call an operation; `answer` is the member that its answer must have. Retries are botocore's.

        Raises `errors.AwsFailure`, or `errors.Credentials`.
        """
        self._demand(operation)
        self._before_call(operation)
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

    def turn(self, operation: str) -> None:
        """Wait until this thread's next call of the operation may be made; nothing where no pace is kept."""
        if self._traffic is not None:
            self._traffic.turn(operation)

    def content(self, operation: str, answer: str, **parameters: object) -> bytes:
        """Call an operation that answers with a stream, and read that to its end. Raises what `call` raises."""
        return b"".join(self.chunks(operation, answer, **parameters))

    def chunks(self, operation: str, answer: str, **parameters: object) -> Iterator[bytes]:
        """The same, bit by bit. It is called for at once."""
        stream = self.call(operation, answer, **parameters)[answer]

        def read() -> Iterator[bytes]:
            try:
                yield from stream.iter_chunks(_CHUNK)
            except boto.BotoCoreError as error:
                raise self._translated(operation, error) from error

        return read()

    def pages(self, operation: str, answer: str, **parameters: object) -> Iterator[list[Any]]:
        """The rows of an operation's answers, page by page to the last, whatever its tokens are called.

        Raises what `call` raises, and Unintelligible for an operation without tokens and for a token that comes again.
        """
        sent, received = self._token_names(operation)
        seen: set[object] = set()
        following: dict[str, object] = {}
        while True:
            answered = self.call(operation, answer, **parameters, **following)
            yield answered[answer]
            token = answered.get(received)
            if not token:
                return
            if token in seen:
                raise Unintelligible(f"{operation}: {self._endpoint} gives the same page again and again")
            seen.add(token)
            following = {sent: token}

    def knows(self, operation: str) -> bool:
        """Whether the installed botocore knows an operation: newer ones are not in every release."""
        return operation in self._client.meta.service_model.operation_names

    def _demand(self, operation: str) -> None:
        if not self.knows(operation):
            raise Unintelligible(f"{operation}: the installed botocore does not know it; install a newer one")

    def _token_names(self, operation: str) -> tuple[str, str]:
        """What the token is called in a request, and in an answer."""
        self._demand(operation)
        if operation not in self._tokens:
            model = self._client.meta.service_model.operation_model(operation)
            sent = [name for name in _TOKENS if model.input_shape and name in model.input_shape.members]
            received = [name for name in _NEXT_TOKENS if model.output_shape and name in model.output_shape.members]
            self._tokens[operation] = (sent[0], received[0]) if sent and received else None
        names = self._tokens[operation]
        if names is None:
            raise Unintelligible(f"{operation}: this botocore knows no pages of it")
        return names

    def presign(self, operation: str, *, headers: Mapping[str, str], seconds: int) -> str:
        """The URL with which anybody may make a GET call with these headers, for so long.

        Raises `errors.AwsFailure`, or `errors.Credentials`.
        """

        def add_headers(request: Any, **_: object) -> None:
            for name, value in headers.items():
                request.headers[name] = value

        events = self._client.meta.events
        event = f"before-sign.{self._client.meta.service_model.service_id.hyphenize()}.{operation}"
        with self._presigning:  # the headers of one thread are none of another's
            events.register(event, add_headers)
            try:
                return str(self._client.generate_presigned_url(xform_name(operation), None, seconds, "GET"))
            except (boto.BotoCoreError, boto.ClientError) as error:
                raise self._translated(operation, error) from error
            finally:
                events.unregister(event, add_headers)

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
            return _translated_answer(operation, error, self._prefix)
        if isinstance(error, _LOST_CREDENTIALS):
            return Credentials(f"credentials: {one_line(error)}", type(error).__name__)
        if isinstance(error, (boto.HTTPClientError, boto.ConnectionError)):
            text = f"{operation}: {self._endpoint} can't be reached: {one_line(error)}"
            return Passing(text, type(error).__name__)
        return AwsFailure(f"{operation}: {one_line(error)}", type(error).__name__)


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
