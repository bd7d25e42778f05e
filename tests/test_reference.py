"""References to private ECR registries: alone and in the midst of other text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.reference import (
    Reference,
    Registry,
    Repository,
    mentions_registry,
    mentions_unread,
    reference_of,
    references_in,
    registry_of,
)

ACCOUNT = "123456789012"
HERE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
REGISTRY = Registry(ACCOUNT, "us-east-1", "aws")
DIGEST = "sha256:" + "ab" * 32

REGIONS = {
    "us-east-1": ("aws", "amazonaws.com", "on.aws"),
    "eu-central-2": ("aws", "amazonaws.com", "on.aws"),
    "us-gov-west-1": ("aws-us-gov", "amazonaws.com", "on.aws"),
    "cn-northwest-1": ("aws-cn", "amazonaws.com.cn", "on.amazonwebservices.com.cn"),
    "us-iso-east-1": ("aws-iso", "c2s.ic.gov", "on.aws.ic.gov"),
    "us-isob-east-1": ("aws-iso-b", "sc2s.sgov.gov", "on.aws.scloud"),
    "eu-isoe-west-1": ("aws-iso-e", "cloud.adc-e.uk", "on.cloud-aws.adc-e.uk"),
    "us-isof-south-1": ("aws-iso-f", "csp.hci.ic.gov", "on.aws.hci.ic.gov"),
    "eusc-de-east-1": ("aws-eusc", "amazonaws.eu", "on.amazonwebservices.eu"),
}

registries = st.builds(
    lambda account, region: Registry(f"{account:012}", region, REGIONS[region][0]),
    st.integers(0, 10**12 - 1),
    st.sampled_from(sorted(REGIONS)),
)
components = st.from_regex(r"[a-z0-9]{1,5}((\.|__?|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)
repositories = st.builds(Repository, registries, st.lists(components, min_size=1, max_size=3).map("/".join))
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
references = st.builds(Reference, repositories, st.none() | tags, st.none() | st.just(DIGEST))

# In running text what ends in . - or _ is taken for half a reference, or for one at the end of a sentence.
plain = references.filter(lambda reference: str(reference)[-1].isalnum())
before = st.sampled_from(["", "docker run ", "image=", '"', "'", "https://", "docker://", "${IMAGE:-", "<", "(", "@"])
behind = st.sampled_from(
    [" ", "\n", '"', "'", '\\"', ", ", ". ", ",", ";", ")", "}", "]", " && ", "|", "</image>", ": "]
)


def hosts(registry: Registry) -> list[str]:
    _, suffix, dual = REGIONS[registry.region]
    account, region = registry.account, registry.region
    ipv4 = [f"{account}.{service}.{region}.{suffix}" for service in ("dkr.ecr", "dkr.ecr-fips", "dkr.starport")]
    return [
        *ipv4,
        *(f"{account}.{service}.{region}.{dual}" for service in ("dkr-ecr", "dkr-ecr-fips")),
        f"{ipv4[0]}:443",
        f"{account}.dkr.ecr.{region}.localhost.localstack.cloud:4566",
        f"{account}.dkr.ecr.{region}.new-partition.example",
    ]


@given(references)
def test_a_printed_reference_parses_to_the_same_value(reference: Reference) -> None:
    assert reference_of(str(reference)) == reference
    for scheme in ("docker-pullable://", "docker://", "oci://", "https://", "http://"):
        assert reference_of(f"{scheme}{reference}") == reference


@given(registries)
def test_all_hosts_of_a_registry_are_that_registry_in_whatever_case(registry: Registry) -> None:
    for host in hosts(registry):
        for written in (host, host.upper(), host.title()):
            assert registry_of(written) == registry
            assert reference_of(f"{written}/app") == Reference(Repository(registry, "app"))


@given(st.lists(st.tuples(before, plain, behind)))
def test_exactly_the_references_between_other_text_are_found_in_order(
    parts: list[tuple[str, Reference, str]],
) -> None:
    text = " ".join(f"{start}{reference}{end}" for start, reference, end in parts)
    assert list(references_in(text)) == [reference for _, reference, _ in parts]
    assert mentions_registry(text) is bool(parts)
    assert not mentions_unread(text)


@given(plain, st.sampled_from(["$TAG", "${TAG}", "{{ tag }}", "%s", ":$TAG", "-", "-${TAG}", "/", "/$N", "@$D", "*"]))
def test_half_a_reference_is_none_but_is_not_overlooked(reference: Reference, rest: str) -> None:
    for text in (f"run {reference}{rest}", f'run "{reference}{rest}"'):
        assert list(references_in(text)) == []
        assert list(references_in(f"{text} {reference}")) == [reference]
        assert mentions_registry(text)
        assert mentions_unread(text)
        assert mentions_unread(f"{text} {reference}")


@given(st.text(alphabet="a0.-:/@$ dkrec", max_size=40), st.text(alphabet="aB1._-:/@$\"' \n", max_size=40))
def test_whatever_surrounds_a_host_it_is_seen_and_what_is_found_is_a_reference(left: str, right: str) -> None:
    text = f"{left}{HERE}{right}"
    assert mentions_registry(text)
    for reference in references_in(text):
        assert reference_of(str(reference)) == reference
        assert reference.repository.name in text


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        (f"{HERE}/team/app:v1", REGISTRY),
        (f"{ACCOUNT}.dkr.ecr-fips.us-west-2.amazonaws.com/team/app:v1", Registry(ACCOUNT, "us-west-2", "aws")),
        (f"{ACCOUNT}.dkr-ecr.us-east-1.on.aws/team/app:v1", REGISTRY),
        (f"{ACCOUNT}.dkr-ecr-fips.us-east-1.on.aws/team/app:v1", REGISTRY),
        (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app:v1", Registry(ACCOUNT, "cn-north-1", "aws-cn")),
        (
            f"{ACCOUNT}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/team/app:v1",
            Registry(ACCOUNT, "cn-north-1", "aws-cn"),
        ),
        (
            f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com/team/app:v1",
            Registry(ACCOUNT, "us-gov-west-1", "aws-us-gov"),
        ),
        (f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov/team/app:v1", Registry(ACCOUNT, "us-iso-east-1", "aws-iso")),
        (
            f"{ACCOUNT}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov/team/app:v1",
            Registry(ACCOUNT, "us-isob-east-1", "aws-iso-b"),
        ),
        (f"{ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu/team/app:v1", Registry(ACCOUNT, "eusc-de-east-1", "aws-eusc")),
        (f"{ACCOUNT}.DKR.ECR.US-EAST-1.AMAZONAWS.COM/team/app:v1", REGISTRY),
        (f"{ACCOUNT}.dkr.ecr.us-east-1.localhost.localstack.cloud:4566/team/app:v1", REGISTRY),
        (f"docker-pullable://{HERE}/team/app:v1", REGISTRY),
        (f"https://{HERE}/team/app:v1", REGISTRY),
    ],
)
def test_a_reference_is_read_whatever_the_host(text: str, registry: Registry) -> None:
    assert reference_of(text) == Reference(Repository(registry, "team/app"), "v1")


@pytest.mark.parametrize(
    ("rest", "tag", "digest"),
    [("", None, None), (":v1", "v1", None), (f"@{DIGEST}", None, DIGEST), (f":v1@{DIGEST}", "v1", DIGEST)],
)
def test_tag_and_digest_are_both_kept(rest: str, tag: str | None, digest: str | None) -> None:
    assert reference_of(f"{HERE}/app{rest}") == Reference(Repository(REGISTRY, "app"), tag, digest)


@pytest.mark.parametrize(
    "text",
    [
        DIGEST,
        f"docker://{DIGEST}",
        "localhost:5000",
        "localhost:5000/app",
        "FOO/bar",
        "ubuntu:22.04",
        "public.ecr.aws/docker/library/busybox:1",
        HERE,
        f"mirror.example.com/{HERE}/app:v1",
        "12345678901.dkr.ecr.us-east-1.amazonaws.com/app",
        f"x.{HERE}/app",
        f"x{HERE}/app",
        f"{ACCOUNT}.dkr.ecrs.us-east-1.amazonaws.com/app",
        f"{ACCOUNT}.dkrxecr.us-east-1.amazonaws.com/app",
    ],
)
def test_an_image_of_another_registry_is_no_reference(text: str) -> None:
    assert reference_of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        f" {HERE}/app",
        f"{HERE}/app\n",
        f"{HERE}/App",
        f"{HERE}/app:",
        f"{HERE}/app:${{TAG}}",
        f"{HERE}./app",
        f"{HERE}/app@sha256:abc",
        f"ftp://{HERE}/app",
        f"{ACCOUNT}.dkr.ecr.us-ea\u017ft-1.amazonaws.com/app",
        "docker://",
        "ab" * 32,
    ],
)
def test_what_is_no_image_name_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"\A.* is no image name: .*\Z"):
        reference_of(text)


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "public.ecr.aws",
        "docker.io",
        "ecr.us-east-1.amazonaws.com",
        f"{HERE}.",
        f"{HERE}\n",
        f"{HERE}/app",
        f"{HERE}:",
    ],
)
def test_other_domains_are_no_ecr_registry(domain: str) -> None:
    assert registry_of(domain) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"--conf spark.kubernetes.container.image={HERE}/spark:3.5 --conf a=b", ["spark:3.5"]),
        (f'{{"image":"{HERE}/app:v1","init":["{HERE}/init@{DIGEST}"]}}', ["app:v1", f"init@{DIGEST}"]),
        (f'"{{\\"image\\":\\"{HERE}/app:v1\\"}}"', ["app:v1"]),
        (f"docker pull {HERE}/app:v1.2. Then stop.", ["app:v1.2"]),
        (f"failed to pull {HERE}/app:v1: not found", ["app:v1"]),
        (f"IMAGE=${{IMAGE:-{HERE}/app:v1}}", ["app:v1"]),
        (f"{HERE}/a:1,{HERE}/b:2;{HERE}/c:3", ["a:1", "b:2", "c:3"]),
        (f"https://mirror.example.com/{HERE}/app:v1", ["app:v1"]),
        (f"{HERE}/cache/{HERE}/app:v1", [f"cache/{HERE}/app:v1"]),
    ],
)
def test_references_are_found_in_commands_and_documents(text: str, found: list[str]) -> None:
    assert [str(reference) for reference in references_in(text)] == [f"{HERE}/{each}" for each in found]
    assert not mentions_unread(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{HERE}/app:${{TAG}}",
        f"{HERE}/app:$TAG",
        f"{HERE}/${{NAME}}",
        f"{HERE}/app-{{{{ environment }}}}:v1",
        f'"{HERE}/app:" + tag',
        f'"{HERE}/app:v1-" + build',
        f"{HERE}/appName",
        f"{HERE}/app:v1@sha256:abc",
        f"{HERE}/" + "a" * 256,
        f"{HERE}/",
        f"docker login {HERE}",
        f"x{HERE}/app:v1",
        f"-{HERE}/app:v1",
        f"1{HERE}/app:v1",
        "$ACCOUNT.dkr.ecr.$AWS_REGION.amazonaws.com/app:v1",
        "%s.dkr.ecr.%s.amazonaws.com/%s",
        "${ACCOUNT}.DKR-ECR-FIPS.us-east-1.on.aws/app:v1",
    ],
)
def test_what_is_left_open_is_a_mention_without_a_reference(text: str) -> None:
    assert list(references_in(text)) == []
    assert mentions_registry(text)
    assert mentions_unread(text)
    assert mentions_unread(f"{HERE}/known:v1 {text}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "public.ecr.aws/docker/library/busybox:1",
        "com.amazonaws.us-east-1.ecr.dkr",
        "ubuntu:22.04",
        "mydkr.ecr.example",
    ],
)
def test_a_text_without_private_ecr_mentions_none(text: str) -> None:
    assert list(references_in(text)) == []
    assert not mentions_registry(text)
    assert not mentions_unread(text)


def test_an_account_that_is_not_known_is_printed_as_a_question_mark() -> None:
    reference = Reference(Repository(Registry(None, "us-east-1", "aws"), "app"), "v1")
    assert str(reference) == "?.dkr.ecr.us-east-1.amazonaws.com/app:v1"


@pytest.mark.parametrize(
    "text",
    [
        f"{HERE}/" * 20_000,
        f"{HERE}/" + "a/" * 500_000,
        f"{HERE}/a$" * 20_000,
        "dkr.ecr" * 150_000,
        f"{ACCOUNT}.dkr.ecr." + "a-" * 500_000,
        f"{ACCOUNT}.dkr.ecr." + "a." * 500_000 + "!",
        f"{ACCOUNT}.dkr.ecr.a" + "-" * 10**6,
        "1" * 10**6,
        f"{HERE}/a" + "." * 10**6,
    ],
    ids=range(9),
)
def test_a_hostile_megabyte_takes_no_time(text: str) -> None:
    begun = time.process_time()
    list(references_in(text))
    registry_of(text)
    mentions_registry(text)
    assert time.process_time() - begun < 2
