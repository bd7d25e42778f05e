"""A service's API, through a client of botocore.

botocore decides about credentials, profiles, regions, endpoints, proxies, CA bundles, signing and retries. Nothing
outside this package imports it, and its exceptions end here: what leaves is an `errors.Error`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore import exceptions as boto
from botocore import xform_name

from aws_ecr_gc.aws.failures import translated
from aws_ecr_gc.aws.pacing import Traffic
from aws_ecr_gc.errors import Error, Unintelligible, one_line

_CHUNK = 1 << 16
_TOKENS = ("nextToken", "NextToken", "Marker", "marker")
_NEXT_TOKENS = ("nextToken", "NextToken", "NextMarker", "Marker", "nextMarker")


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
            raise self._failure(operation, error) from error
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
                raise self._failure(operation, error) from error

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
                raise self._failure(operation, error) from error
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

    def _failure(self, operation: str, error: Exception) -> Error:
        return translated(operation, error, endpoint=self._endpoint, prefix=self._prefix)
