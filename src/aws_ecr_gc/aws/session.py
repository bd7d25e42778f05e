"""The user's AWS configuration, and the clients that are made from it."""

import copy
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import botocore.session
from botocore import exceptions as boto
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.parsers import ResponseParserFactory

from aws_ecr_gc import __version__
from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.downloads import Web
from aws_ecr_gc.aws.failures import is_refused
from aws_ecr_gc.aws.models import loader
from aws_ecr_gc.aws.pacing import Traffic
from aws_ecr_gc.aws.transport import ride
from aws_ecr_gc.errors import Credentials, Incomplete, Misuse, one_line

_ATTEMPTS = 8
"""How often a call is tried unless the user's AWS configuration says otherwise: Describe* limits are low."""
CONNECTIONS = 10
"""How many a client keeps open, unless more are asked for."""


class Session:
    """The user's AWS configuration. Raises `Misuse` where it cannot be read or names no region."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        try:
            self._session = botocore.session.Session(profile=profile)
            models = loader(self._session.get_config_variable("data_path"))
            self._session.register_component("data_loader", models)
            self._session.register_component("response_parser_factory", _Parsers())
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
        for name in ("data_loader", "response_parser_factory"):
            session.register_component(name, self._session.get_component(name))
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
        if parsed_response is not None and is_refused(parsed_response):
            traffic.refused(event_name.rpartition(".")[2])

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"request-created.{service}", leaving)
    client.meta.events.register(f"response-received.{service}", received)


def true_region(stated: str) -> str:
    """The region that botocore takes for one of the aliases by which it turns on FIPS endpoints: `us-east-1-fips`."""
    return stated.replace("fips-", "").replace("-fips", "")


class _Parsers(ResponseParserFactory):  # type: ignore[misc]  # botocore has no types
    """Makes one parser for each protocol. botocore makes one for each call, which refers to itself: it would stay in
    memory until somebody looks for cycles, and a run does not.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Any] = {}

    def create_parser(self, protocol_name: str) -> Any:
        """It keeps nothing of what it parses, and serves several threads."""
        if protocol_name not in self._made:
            self._made[protocol_name] = super().create_parser(protocol_name)
        return self._made[protocol_name]


class Keys(NamedTuple):
    """Credentials of an assumed role."""

    access_key: str
    secret_key: str
    token: str


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
