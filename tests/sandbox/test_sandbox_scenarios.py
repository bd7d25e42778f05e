"""Scenario files: what they say, and what is said about wrong ones."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws_ecr_gc.sandbox import Sandbox, ScenarioError, bundled_scenario, load_scenario, scenario_schema
from aws_ecr_gc.sandbox.manifests import DOCKER_IMAGE, DOCKER_INDEX, OCI_ARTIFACT, digest_of
from aws_ecr_gc.sandbox.yaml_documents import read

from .wire import repository, scenario

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "scenarios").glob("*.yaml"))
DAY = 86400
NOW = 1717200000


def _images(sandbox: Sandbox, *images: dict[str, Any], **members: Any) -> dict[str, Any]:
    sandbox.reset(scenario(repositories=[repository(*images)], **members))
    app = sandbox.registry().repository("app")
    return {tag: app.images[digest] for tag, digest in app.tags.items()}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_load_and_meet_the_schema(sandbox: Sandbox, path: Path) -> None:
    sandbox.reset(load_scenario(path))

    jsonschema.validate(read(path.read_bytes()), scenario_schema())


def test_the_example_in_the_documentation_is_what_is_said_of_it(sandbox: Sandbox, tmp_path: Path) -> None:
    page = (EXAMPLES[0].parents[1] / "sandbox.md").read_text()
    path = tmp_path / "example.yaml"
    path.write_text(page.partition("```yaml\n")[2].partition("```")[0])

    sandbox.reset(load_scenario(path))

    assert len(sandbox.registry().repository("app").images) == 41


def test_the_bundled_testrepo_is_the_one_of_the_original(sandbox: Sandbox) -> None:
    sandbox.reset(bundled_scenario("testrepo"))
    images = sandbox.registry().repository("testrepo").images.values()
    tags = [tag for image in images for tag in image.tags]
    builds = sorted((image.pushed_at, tag) for image in images for tag in image.tags if tag.startswith("build"))

    assert len(images) == len(tags) == 47
    assert len(builds) == 11
    assert builds[:3] == [
        (1489769895.0, "build-6d12484"),
        (1489770727.0, "build-1d293f7"),
        (1489981901.0, "build-64cd372"),
    ]
    assert sum(tag.startswith("release-production-") for tag in tags) == 4
    assert max(image.pushed_at for image in images) < sandbox.clock.now()
    assert load_scenario(EXAMPLES[0].with_name("testrepo.yaml")) == bundled_scenario("testrepo")


def test_the_bundled_multiarch_shares_a_child_and_has_referrers(sandbox: Sandbox) -> None:
    sandbox.reset(bundled_scenario("multiarch"))
    repo = sandbox.registry().repository("multiarch")
    first, second, third = (repo.resolve(f"build-{number}") for number in (1, 2, 3))

    shared = set(repo.children_of(first)) & set(repo.children_of(second))
    assert len(shared) == 1
    assert len(repo.children_of(first)) == 2
    assert [len(repo.referrers_of(digest)) for digest in (first, second, third)] == [1, 0, 1]
    assert len(repo.tags) == 3
    assert all(repo.images[child].tags == () for child in (*repo.children_of(first), *repo.referrers_of(first)))


def test_times_are_absolute_or_ages_before_now(sandbox: Sandbox) -> None:
    images = _images(
        sandbox,
        {"tags": ["a"], "age": "3d", "pulled_at": "12h"},
        {"tags": ["b"], "pushed_at": "2024-05-01T00:00:00+02:00", "pulled_at": "never"},
        {"tags": ["c"], "pushed_at": "1w", "archived_at": "2d", "activated_at": "1d"},
    )

    assert images["a"].pushed_at == NOW - 3 * DAY
    assert images["a"].pulled_at == NOW - DAY / 2
    assert images["b"].pushed_at == 1714514400
    assert images["b"].pulled_at is None
    assert images["c"].status == "ACTIVE"
    assert (images["c"].archived_at, images["c"].activated_at) == (NOW - 2 * DAY, NOW - DAY)


def test_images_without_a_time_were_pushed_one_after_the_other(sandbox: Sandbox) -> None:
    images = _images(sandbox, {"tags": ["a"]}, {"tags": ["b"]}, {"tags": ["c"], "age": "10s"}, {"tags": ["d"]})
    times = [images[tag].pushed_at for tag in "abcd"]

    assert times == sorted(times)
    assert times[-1] == NOW
    assert _images(sandbox, {"repeat": 50_000, "tags": ["v{n}"]})["v49999"].pushed_at == NOW


def test_a_repeated_image_is_numbered_and_spaced(sandbox: Sandbox) -> None:
    images = _images(
        sandbox,
        {"name": "c{n}", "repeat": 3, "tags": ["child-{n}"]},
        {"name": "x", "repeat": 3, "tags": ["build-{n:07x}"], "children": ["c{n}"], "age": "9d", "every": "1d"},
    )

    assert [images[f"build-{n:07x}"].pushed_at for n in range(3)] == [NOW - (9 - n) * DAY for n in range(3)]
    assert [images[f"build-{n:07x}"].children for n in range(3)] == [(images[f"child-{n}"].digest,) for n in range(3)]


def test_manifests_are_the_same_for_the_same_description(sandbox: Sandbox) -> None:
    description = {"name": "a", "tags": ["a"], "size": 5}

    first = _images(sandbox, description)["a"]
    assert _images(sandbox, description)["a"].manifest == first.manifest
    assert first.digest == digest_of(first.manifest)
    assert _images(sandbox, {**description, "name": "b"})["a"].digest != first.digest


def test_media_types_may_be_stated(sandbox: Sandbox) -> None:
    images = _images(
        sandbox,
        {"name": "a", "tags": ["docker"], "media_type": DOCKER_IMAGE},
        {"tags": ["list"], "media_type": DOCKER_INDEX, "children": ["a"], "platforms": ["linux/arm/v7"]},
        {"tags": ["artifact"], "media_type": OCI_ARTIFACT, "subject": "a", "artifact_type": "application/x.sig"},
        {"tags": ["unknown"], "media_type": "application/x.unknown", "subject": "a"},
    )

    docker = json.loads(images["docker"].manifest)
    assert docker["config"]["mediaType"] == "application/vnd.docker.container.image.v1+json"
    assert docker["layers"][0]["mediaType"] == "application/vnd.docker.image.rootfs.diff.tar.gzip"
    entry = json.loads(images["list"].manifest)["manifests"][0]
    assert entry["platform"] == {"os": "linux", "architecture": "arm", "variant": "v7"}
    assert entry["size"] == len(images["docker"].manifest)
    assert images["artifact"].subject == images["docker"].digest
    assert images["artifact"].artifact_media_type == "application/x.sig"
    assert (images["unknown"].media_type, images["unknown"].subject) == ("application/x.unknown", None)


def test_platforms_are_told_by_names_or_by_place(sandbox: Sandbox) -> None:
    images = _images(
        sandbox,
        {"name": "one"},
        {"name": "two-s390x"},
        {"name": "three"},
        {"tags": ["x"], "children": ["one", "two-s390x", "three"]},
    )

    platforms = [entry["platform"]["architecture"] for entry in json.loads(images["x"].manifest)["manifests"]]
    assert platforms == ["amd64", "s390x", "arm"]


def test_images_share_layers_by_name(sandbox: Sandbox) -> None:
    base = {"name": "base", "size": 1000}
    images = _images(
        sandbox, {"tags": ["a"], "layers": [base]}, {"tags": ["b"], "layers": [base, {"name": "x", "size": 1}]}
    )

    assert images["a"].contents.layers[0] == images["b"].contents.layers[0]
    assert images["b"].size == images["a"].size + 1


def test_a_subject_may_be_a_digest_that_is_not_there(sandbox: Sandbox) -> None:
    gone = digest_of(b"gone")

    assert _images(sandbox, {"tags": ["sig"], "subject": gone})["sig"].subject == gone


IMAGES = "$.repositories[0].images[0]"
UNKNOWN_TARGET = """
repositories: [{name: app}]
events: [{after: {operation: ListImages}, do: [{archive: {repository: app, image: y}}]}]
"""


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("now: yesterday", "$.now", "regex"),
        ("now: 2017-13-45T00:00:00Z", "`$`", "month must be in 1..12"),
        ("repositries: []", "`$`", "unknown field `repositries`"),
        ("repositories: {}", "$.repositories", "Expected `array`"),
        ("repositories: [{name: app, account: 1}]", "$.repositories[0].account", "Expected `str`"),
        ("repositories: [{name: APP}]", "$.repositories[0]", "regular expression"),
        ("repositories: [{name: app}, {name: app}]", "$.repositories[1].name", "two repositories app"),
        ("repositories: [{name: app, lifecycle_policy: {rules: 1}}]", "$.repositories[0]", "instance type"),
        ("replication: [{destinations: [{region: EU}]}]", "$.replication[0]", "regular expression"),
        ("repositories: [{name: app, exclusion_filters: [x]}]", "$.repositories[0]", "_WITH_EXCLUSION"),
        ("repositories: [{name: app, images: [{tags: [a b]}]}]", IMAGES, "no tag of ECR's"),
        ("repositories: [{name: app, images: [{age: 3 days}]}]", f"{IMAGES}.age", "regex"),
        ("repositories: [{name: app, images: [{age: 3d, pushed_at: 4d}]}]", IMAGES, "exclude one another"),
        ("repositories: [{name: app, images: [{size: 1, layers: []}]}]", IMAGES, "exclude one another"),
        ("repositories: [{name: app, images: [{children: [x], size: 1}]}]", IMAGES, "an index has no layers"),
        ("repositories: [{name: app, images: [{platforms: [linux/amd64]}]}]", IMAGES, "one platform for each child"),
        ("repositories: [{name: app, images: [{every: 1d}]}]", IMAGES, "every needs repeat"),
        ("repositories: [{name: app, images: [{children: [x]}]}]", f"{IMAGES}.children[0]", "no image x"),
        ("repositories: [{name: app, images: [{subject: x}]}]", f"{IMAGES}.subject", "no image x"),
        ("repositories: [{name: app, images: [{repeat: 2, tags: ['{x}']}]}]", IMAGES, "no format of n"),
        ("repositories: [{name: app, images: [{name: a}, {name: a}]}]", "images[1].name", "two images a"),
        ("behaviour: {pair_deletes: all}", "$.behaviour.pair_deletes", "Invalid enum value"),
        ("faults: {reset_share: 0.6, garbage_share: 0.6}", "$.faults", "add up to more than 1"),
        ("events: [{do: []}]", "$.events[0]", "either before or after"),
        ("events: [{before: {operation: Nope}, do: []}]", "$.events[0].before", "no operation Nope"),
        ("events: [{before: {operation: ListImages}, do: [{}]}]", "$.events[0].do[0]", "exactly one"),
        (
            "events: [{before: {operation: ListImages}, do: [{delete: {repository: x, image: y}}]}]",
            "$.events[0].do[0]",
            "no repository x",
        ),
        (
            UNKNOWN_TARGET,
            "$.events[0].do[0]",
            "no image y",
        ),
        ("faults: {deny: [BatchDeletImage]}", "$.faults", "no operation BatchDeletImage"),
        ("a: [", "", "expected the node content"),
        ("[]", "", "Expected `object`"),
    ],
)
def test_a_wrong_scenario_is_told_in_one_line_with_file_place_and_reason(
    tmp_path: Path, text: str, place: str, reason: str
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)

    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)

    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert place in message
    assert reason in message
    assert "\n" not in message


def test_a_file_that_is_not_there_or_no_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.yaml: No such file"):
        load_scenario(tmp_path / "none.yaml")
    (tmp_path / "wrong.json").write_text("now: yes")
    with pytest.raises(ScenarioError, match=r"wrong\.json: JSON is malformed"):
        load_scenario(tmp_path / "wrong.json")


def test_json_says_the_same_as_yaml(tmp_path: Path) -> None:
    document = {"now": "2017-03-25T00:00:00Z", "repositories": [repository({"name": "a", "pushed_at": "1d"})]}
    (tmp_path / "a.json").write_text(json.dumps(document))
    (tmp_path / "a.yaml").write_text(
        "now: 2017-03-25T00:00:00Z\nrepositories:\n- {name: app, images: [{name: a, pushed_at: 1d}]}\n"
    )

    assert load_scenario(tmp_path / "a.json") == load_scenario(tmp_path / "a.yaml")
