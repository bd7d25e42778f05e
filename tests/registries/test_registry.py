"""A registry over the wire: which repositories there are, and their resource tags."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import pytest

from aws_ecr_gc.errors import AccessDenied, Misuse, Unintelligible
from aws_ecr_gc.ports import RegistryPort, chosen
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.registries.ecr import EcrRegistry, open_registry
from aws_ecr_gc.registries.ecr.listings import walk
from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.registries.canned import Canned
from tests.wire.builder import Builder

ACCOUNT = "123456789012"
OTHER = "210987654321"

pytestmark = pytest.mark.usefixtures("credentials")

Opening = Callable[..., EcrRegistry]


@pytest.fixture
def opened() -> Iterator[Opening]:
    registries: list[EcrRegistry] = []

    def opening(url: str, *, region: str = "us-east-1", registry_id: str | None = None) -> EcrRegistry:
        registries.append(open_registry(region=region, registry_id=registry_id, profile=None, endpoint_url=url))
        return registries[-1]

    yield opening
    for registry in registries:
        registry.close()


def requests(sandbox: Sandbox, operation: str = "DescribeRepositories") -> list[dict[str, object]]:
    return [call.request for call in sandbox.calls if call.operation == operation]


def create(sandbox: Sandbox, *names: str, account: str = ACCOUNT, region: str = "us-east-1") -> None:
    for name in names:
        sandbox.registry(account, region).create_repository(name)


def test_all_repositories_are_listed_a_thousand_a_call_to_the_end(sandbox: Sandbox, opened: Opening) -> None:
    names = [f"team/{number:04d}" for number in range(2345)]
    create(sandbox, *reversed(names))
    registry = opened(sandbox.url)
    assert registry.names([]) == names
    assert [request.get("maxResults") for request in requests(sandbox)] == [1000] * 3
    assert registry.names(["team/1*", "*7", "team/0000"]) == [
        name for name in names if name.startswith("team/1") or name.endswith("7") or name == "team/0000"
    ]


def test_literal_names_are_looked_up_a_hundred_a_call_each_once(sandbox: Sandbox, opened: Opening) -> None:
    names = [f"app-{number:03d}" for number in range(230)]
    create(sandbox, *names, "other")
    assert opened(sandbox.url).names([*reversed(names), names[5]]) == names
    asked = requests(sandbox)
    assert [len(request["repositoryNames"]) for request in asked] == [100, 100, 30]  # type: ignore[arg-type]
    assert all(request.keys() == {"repositoryNames"} for request in asked)


def test_a_registry_is_empty_or_it_is_not_but_a_pattern_must_fit(sandbox: Sandbox, opened: Opening) -> None:
    registry = opened(sandbox.url)
    assert registry.names([]) == []
    assert registry.registry.account is None
    with pytest.raises(
        Misuse, match=r"^no repository fits app-\* in us-east-1, the credentials' account; check --repo"
    ):
        registry.names(["app-*"])
    create(sandbox, "app")
    with pytest.raises(Misuse, match=rf"^no repository fits ap\[!p\] in us-east-1, account {ACCOUNT}; check --repo"):
        registry.names(["app", "ap[!p]"])
    with pytest.raises(Misuse, match=rf"^repository App: not found in us-east-1, account {ACCOUNT}; check the name"):
        registry.names(["*", "App"])


@pytest.mark.parametrize("registry_id", [None, OTHER])
def test_an_unknown_name_is_named_with_region_account_and_mend(
    sandbox: Sandbox, opened: Opening, registry_id: str | None
) -> None:
    create(sandbox, "app", account=registry_id or ACCOUNT)
    with pytest.raises(Misuse) as caught:
        opened(sandbox.url, registry_id=registry_id).names(["app", "no/such"])
    assert str(caught.value) == (
        f"repository no/such: not found in us-east-1, account {registry_id or ACCOUNT}; "
        "check the name, --region, --registry-id and the credentials"
    )


@pytest.mark.parametrize("name", ["App", "a", "x" * 257])
def test_a_name_that_no_repository_can_have_is_misuse(sandbox: Sandbox, opened: Opening, name: str) -> None:
    with pytest.raises(Misuse, match=f"^{name} and 1 more: .+; check --repo"):
        opened(sandbox.url).names([name, "zz"])


def test_the_account_is_learnt_from_the_listing_for_empty_repositories_too(sandbox: Sandbox, opened: Opening) -> None:
    create(sandbox, "app")
    registry = opened(sandbox.url)
    assert registry.repository("app").repository.registry == Registry(None, "us-east-1", "aws")
    registry.names(["app"])
    repository = registry.repository("app")
    assert list(repository.pages()) == [[]]
    assert repository.repository.registry == registry.registry == Registry(ACCOUNT, "us-east-1", "aws")
    assert all("registryId" not in call.request for call in sandbox.calls), "nobody asked for another account"


def test_the_registry_id_of_the_user_goes_with_every_call(sandbox: Sandbox, opened: Opening) -> None:
    create(sandbox, "theirs", account=OTHER)
    create(sandbox, "mine")
    registry = opened(sandbox.url, registry_id=OTHER)
    assert registry.names(["*"]) == registry.names(["theirs"]) == ["theirs"]
    assert list(registry.repository("theirs").pages()) == [[]]
    assert {call.request["registryId"] for call in sandbox.calls} == {OTHER}


def test_repositories_share_a_client_and_each_page_is_decoded_once(sandbox: Sandbox, opened: Opening) -> None:
    for name in ("one", "two"):
        Builder(sandbox, name).image(name, f"tag-{name}")
    registry = opened(sandbox.url)
    bodies: list[bytes] = []
    registry._client._client.meta.events.register_last(
        "before-parse.ecr.DescribeImages", lambda response_dict, **_: bodies.append(response_dict["body"])
    )
    for name in registry.names([]):
        ((image,),) = registry.repository(name).pages()
        assert image.tags == (f"tag-{name}",)
    assert bodies == [b"{}", b"{}"]
    registry.close()
    assert registry.names([]) == ["one", "two"], "a closed client opens new connections"


@pytest.mark.parametrize(
    ("region", "arn"),
    [
        ("us-east-1", f"arn:aws:ecr:us-east-1:{OTHER}:repository/team/web"),
        ("cn-north-1", f"arn:aws-cn:ecr:cn-north-1:{OTHER}:repository/team/web"),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_resource_tags_are_asked_for_by_the_arn_that_ecr_gave(
    sandbox: Sandbox, opened: Opening, region: str, arn: str, *, listed: bool
) -> None:
    create(sandbox, "team/web", "bare", account=OTHER, region=region)
    settings = sandbox.registry(OTHER, region).repository("team/web").settings
    settings.resource_tags = {"team": "web", "aws-ecr-gc": ""}
    registry = opened(sandbox.url, region=region, registry_id=OTHER)
    if listed:
        registry.names([])
    assert registry.resource_tags("team/web") == {"team": "web", "aws-ecr-gc": ""}
    assert registry.resource_tags("bare") == {}
    assert requests(sandbox, "ListTagsForResource")[0] == {"resourceArn": arn}
    assert len(requests(sandbox)) == (1 if listed else 2)
    assert registry.registry.partition == arn.split(":")[1]


@pytest.mark.parametrize("listed", [False, True])
def test_resource_tags_of_a_repository_that_is_not_there_are_misuse(
    sandbox: Sandbox, opened: Opening, *, listed: bool
) -> None:
    registry = opened(sandbox.url)
    if listed:
        create(sandbox, "app")
        registry.names([])
        sandbox.registry().delete_repository("app")
    with pytest.raises(Misuse, match=rf"^repository app: not found in us-east-1, account {ACCOUNT}; check the name"):
        registry.resource_tags("app")


@pytest.mark.parametrize("operation", ["DescribeRepositories", "ListTagsForResource"])
@pytest.mark.parametrize("patterns", [[], ["app"], ["a*"]])
def test_a_missing_permission_is_named(
    sandbox: Sandbox, opened: Opening, operation: str, patterns: Sequence[str]
) -> None:
    create(sandbox, "app")
    sandbox.faults = Faults(deny=[operation])
    registry = opened(sandbox.url)
    with pytest.raises(AccessDenied, match=f"the permission ecr:{operation} is missing"):
        _ = {name: registry.resource_tags(name) for name in registry.names(patterns)}


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"repositories": null}',
        b'{"repositories": [{"repositoryName": "app", "registryId": "123456789012"}]}',
        b'{"repositories": [{"repositoryName": "app", "repositoryArn": "arn"}]}',
        b'{"repositories": ["app"]}',
        b'{"repositories": [], "nextToken": "again"}',
    ],
)
def test_an_answer_without_what_it_must_have_is_no_empty_registry(canned: Canned, opened: Opening, body: bytes) -> None:
    canned.body = body
    with pytest.raises(Unintelligible, match="DescribeRepositories"):
        opened(canned.url).names([])


def test_a_name_that_an_answer_leaves_out_without_a_word_is_no_repository_less(canned: Canned, opened: Opening) -> None:
    canned.body = b'{"repositories": []}'
    with pytest.raises(Unintelligible, match="nothing is said of app and 1 more"):
        opened(canned.url).names(["app", "web"])


@pytest.mark.parametrize("body", [b"{}", b'{"tags": null}', b'{"tags": [{"Value": "web"}]}', b'{"tags": ["team"]}'])
def test_resource_tags_that_cannot_be_understood_are_not_none(
    sandbox: Sandbox, canned: Canned, opened: Opening, body: bytes
) -> None:
    create(sandbox, "app")
    listed, registry = opened(sandbox.url), opened(canned.url)
    listed.names([])
    registry._arns.update(listed._arns)
    canned.body = body
    with pytest.raises(Unintelligible, match="ListTagsForResource"):
        registry.resource_tags("app")


def test_an_unknown_name_that_the_refusal_does_not_tell_is_one_of_those_asked_for(
    canned: Canned, opened: Opening
) -> None:
    canned.status, canned.body = 400, b'{"__type": "RepositoryNotFoundException", "message": "no"}'
    with pytest.raises(Misuse, match=r"^repository one of app and 1 more: not found in us-east-1"):
        opened(canned.url).names(["web", "app"])
    with pytest.raises(Misuse, match=r"^repository app: not found in us-east-1"):
        opened(canned.url).names(["app"])


def test_the_walk_ends_where_tokens_go_round_in_a_circle() -> None:
    asked = count()
    with pytest.raises(Unintelligible, match="DescribeX: the same page token twice"):
        list(walk("DescribeX", lambda **_: {"nextToken": "abc"[next(asked) % 3]}))
    assert next(asked) == 4


def test_patterns_choose_among_names_whatever_their_order() -> None:
    def not_found(pattern: str) -> Misuse:
        return Misuse(f"nothing fits {pattern}")

    names = ["b/x", "a", "b/y", "a"]
    assert chosen(names, [], not_found) == ["a", "b/x", "b/y"]
    assert chosen(names, ["b/?", "a", "b*"], not_found) == ["a", "b/x", "b/y"]
    assert chosen([], [], not_found) == []
    with pytest.raises(Misuse, match=r"nothing fits b/\[z\]"):
        chosen(names, ["*", "b/[z]"], not_found)


def test_the_registry_of_ecr_is_what_the_port_wants(sandbox: Sandbox, opened: Opening) -> None:
    port: RegistryPort = opened(sandbox.url)
    assert port.registry.region == "us-east-1"
