"""Examples of documents: manifests, Compose files, Helm's values, plans; and what is refused in them."""

import json
import textwrap

import pytest

from aws_ecr_gc.errors import SourceFailure
from tests.discovery.lists.listing import DIGEST, HOST, found, mentions, workloads


def _refusal(text: str, path: str = "") -> str:
    with pytest.raises(SourceFailure) as refused:
        mentions(textwrap.dedent(text), path)
    (line,) = refused.value.lines
    return line


def test_a_manifest_s_images_are_used_by_the_object_that_names_them() -> None:
    text = f"""\
# Source: chart/templates/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  template:
    metadata: {{name: not-this}}
    spec:
      initContainers: [{{image: "{HOST}/init:1"}}]
      containers:
      - image: {HOST}/web@{DIGEST}
        args: ["--sidecar={HOST}/sidecar:2"]
        env: [{{name: JOB, value: {HOST}/job}}]
---
apiVersion: v1
kind: List
items:
- {{kind: CronJob, metadata: {{name: night, namespace: prod}}, spec: {{image: "{HOST}/cron:3"}}}}
"""
    assert workloads(text) == [*["list (Deployment web)"] * 4, "list (CronJob prod/night)"]
    expected = {"init:1", f"web@{DIGEST}", "sidecar:2", "job", "cron:3"}
    assert found(text) == {f"{HOST}/{each}" for each in expected}


def test_what_stands_in_no_object_is_told_by_its_line_or_pointer() -> None:
    assert workloads(f"a:\n- b: {HOST}/a:1\n") == ["list:2"]
    assert workloads(f'{{"a": [{{"b/c": "{HOST}/a:1"}}]}}') == ["list:/a/0/b~1c"]


def test_what_kubectl_applied_last_may_be_missing_without_harm() -> None:
    last = {"spec": {"image": f"{HOST}/a:old"}}
    notes = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(last)}
    pod = {"apiVersion": "v1", "metadata": {"annotations": notes}, "spec": {"image": f"{HOST}/a:new"}}
    current = {mention.reference.tag: mention.current for mention in mentions(json.dumps(pod))}
    assert current == {"old": False, "new": True}


@pytest.mark.parametrize("value", ["{host}/web:${{TAG:-1}}", "${{REGISTRY:-{host}}}/web:1", "{host}/web${{TAG-}}"])
def test_a_default_in_a_compose_file_is_refused_for_the_environment_may_say_otherwise(value: str) -> None:
    image = value.replace("{{", "{").replace("}}", "}").replace("{host}", HOST)
    line = _refusal(f"services:\n  web:\n    image: {image}\n")
    assert "comes to depends on the environment; give the output of `docker compose config`" in line


def test_the_services_of_a_compose_file_are_named() -> None:
    text = f"""\
x-base: &base
  image: {HOST}/base:1
services:
  web: *base
  db:
    image: {HOST}/db:2
    command: echo $$HOME $OTHER
  cache:
    image: redis:${{REDIS:-7}}
"""
    assert found(text) == {f"{HOST}/base:1", f"{HOST}/db:2"}
    assert "list (service db)" in workloads(text)


@pytest.mark.parametrize("value", ["${TAG}", "$TAG", "${TAG:?set it}", "${TAG:-}${TAG}", "1${TAG:+x}"])
def test_a_variable_without_a_value_in_a_compose_file_is_an_error_that_names_it(value: str) -> None:
    line = _refusal(f"services:\n  web:\n    image: {HOST}/web:{value}\n")
    assert line.startswith("list: line 3: the variable TAG in ")
    assert line.endswith("; give the output of `docker compose config`")


@pytest.mark.parametrize("image", ["$IMAGE", "${REGISTRY}/web:1", "1234${REST}/web:1", "${REGISTRY}${IMAGE:-/web}"])
def test_a_compose_image_of_an_unknown_registry_may_be_ours_and_is_an_error(image: str) -> None:
    assert "line 3: the variable " in _refusal(f"services:\n  web:\n    image: {image}\n")


def test_a_default_that_is_empty_leaves_half_a_reference_which_is_an_error() -> None:
    assert "line 3: " in _refusal(f"services:\n  web:\n    image: {HOST}/web:${{TAG:-}}\n")


@pytest.mark.parametrize(
    "image", ["${IMAGE}", "$IMAGE:1", '"{{ .Values.image }}"', "'{{ include \"i\" . }}'", "<IMAGE1_NAME>"]
)
def test_an_image_that_a_template_leaves_open_is_an_error(image: str) -> None:
    assert "is left open" in _refusal(f"kind: Pod\nspec:\n  image: {image}\n")


def test_what_a_template_leaves_open_of_another_registry_s_image_is_none_of_ours() -> None:
    assert found("kind: Pod\nspec:\n- image: nginx:${TAG}\n- image: ghcr.io/${X}\n- image: $(params.image)\n") == set()


def test_helm_s_values_are_joined_with_what_they_merge() -> None:
    text = f"""\
base: &base {{registry: {HOST}/, repository: team/app, pullPolicy: Always}}
image: {{<<: *base, tag: v1}}
job: {{<<: [{{tag: v2}}, *base]}}
kustomize: [{{name: {HOST}/k, newTag: v3}}, {{name: x, newName: {HOST}/n, digest: "{DIGEST}"}}]
other: {{registry: docker.io, repository: bitnami/redis, tag: "7"}}
plain: {{image: {HOST}/plain:4, tag: v5}}
"""
    expected = {"team/app", "team/app:v1", "team/app:v2", "k:v3", f"n@{DIGEST}", "plain:4", "plain:v5"}
    assert found(text) == {f"{HOST}/{each}" for each in expected}


def test_a_tag_that_helm_takes_for_a_number_counts_in_both_spellings() -> None:
    assert found(f"image:\n  repository: {HOST}/a\n  tag: 1.10\n") == {f"{HOST}/a:1.10", f"{HOST}/a:1.1"}
    assert found(f"image:\n  repository: {HOST}/a\n  tag: '1.10'\n") == {f"{HOST}/a:1.10"}


def test_values_within_a_text_are_joined_too() -> None:
    text = f"kind: Application\nspec:\n  values: |\n    # text\n    image:\n      repository: {HOST}/a\n      tag: v1\n"
    assert [(str(each.reference), each.workload) for each in mentions(text)] == [(f"{HOST}/a:v1", "list:6")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"image: {{repository: {HOST}/a, tag: ''}}", "is empty, for which charts put one of their own"),
        (f"image: {{repository: {HOST}/a, tag: }}", "is empty, for which charts put one of their own"),
        (f"image: {{registry: {HOST}, tag: v1}}", "the repository is left out"),
        (f"image: {{repository: {HOST}/a, tag: 'v 1'}}", "is no image name"),
        (f"image: {{repository: {HOST}/a, digest: 'sha256:12'}}", "is no image name"),
        (f"image: {{registry: {HOST}, repository: 'a{{{{ .x }}}}', tag: v1}}", "is no image name"),
        (f"global: {{imageRegistry: {HOST}}}", "names an ECR registry"),
    ],
)
def test_parts_that_make_no_reference_are_an_error(text: str, reason: str) -> None:
    line = _refusal(text, "values.yaml")
    assert line.startswith("list: line 1: ")
    assert reason in line


def test_a_terraform_plan_counts_before_and_after_with_the_address_of_the_resource() -> None:
    def resource(tag: str) -> dict[str, object]:
        values = {"container_definitions": json.dumps([{"name": "web", "image": f"{HOST}/web:{tag}"}])}
        return {"address": "aws_ecs_task_definition.web", "type": "aws_ecs_task_definition", "values": values}

    repository = {"address": "aws_ecr_repository.web", "values": {"repository_url": f"{HOST}/web"}}
    plan = {
        "format_version": "1.2",
        "prior_state": {"values": {"root_module": {"resources": [resource("old"), repository]}}},
        "planned_values": {"root_module": {"child_modules": [{"resources": [resource("new")]}]}},
    }
    said = [(mention.reference.tag, mention.workload, mention.current) for mention in mentions(json.dumps(plan))]
    assert said == [
        ("old", "list (aws_ecs_task_definition.web)", True),
        (None, "list (aws_ecr_repository.web)", False),
        ("new", "list (aws_ecs_task_definition.web)", True),
    ]


def test_task_definitions_and_values_one_after_another_are_read() -> None:
    one = {"family": "web", "containerDefinitions": [{"image": f"{HOST}/web:1"}]}
    two = [{"RepoTags": [f"{HOST}/b:2"], "Config": {"Image": f"{HOST}/b:2"}}]
    text = f"{json.dumps(one)}\n{json.dumps(two)}\n"
    assert found(text) == {f"{HOST}/web:1", f"{HOST}/b:2"}
    assert workloads(text)[0] == "list (task definition web)"


def test_tags_and_aliases_of_yaml_mean_their_values() -> None:
    text = f"a: &a !Ref {HOST}/a:1\nb: [*a, !!binary {HOST}/b:2]\n? [c]\n: {HOST}/c:3\nd: {HOST}/d:4\nd: {HOST}/d:5\n"
    assert found(text) == {f"{HOST}/{each}" for each in ("a:1", "b:2", "c:3", "d:4", "d:5")}


def test_what_names_a_registry_and_no_image_is_only_an_error_where_an_image_may_hide() -> None:
    alone = [HOST, f"docker login {HOST} && x", f"https://{HOST}/", f'"{HOST}": z', f"{HOST}/*", f"{HOST}/team/a:v*"]
    assert found(json.dumps([*alone, "*.dkr.ecr.*.amazonaws.com/*", "$A.dkr.ecr.$R.amazonaws.com"])) == set()
    assert found(f"a: x # {HOST}/a:$TAG\n{HOST}/a:$TAG: x\n") == set()
    hidden = [
        "$A.dkr.ecr.us-east-1.amazonaws.com/a:1",
        "${A:-123456789012}.dkr.ecr.us-east-1.amazonaws.com/a:1",
        "123456789012.dkr.ecr.{{ .Values.region }}.amazonaws.com/a:1",
        f"{HOST}/{{{{ .Values.name }}}}:1",
        f"${{R:-{HOST}}}/a:1",
        f"{HOST}/App:1",
        f"{HOST}/a:1,{HOST}/b:$TAG",
        f"docker login {HOST}; docker pull {HOST}/$X",
    ]
    for text in hidden:
        assert "names an ECR registry, but no image that can be told" in _refusal(json.dumps([text]))


@pytest.mark.parametrize(
    ("text", "path", "where"),
    [
        ("a: b\n  c: d\n", "", "line 2, column 4: not YAML"),
        ("a: *b\n", "", "line 1: not YAML: the alias *b has no anchor"),
        ("a:\n- \x07\n", "", "line 2: not YAML"),
        ("- " * 600, "", "line 1: not YAML: nests deeper than 500"),
        ('{"a": 1,\n "b": }', "", "line 2, column 7: not JSON"),
        ('{"a": [1, 2', "", "line 1, column 12: not JSON"),
        ("[" * 100_000, "a.json", "not JSON"),
        ("a: b\n", "a.json", "line 1, column 1: not JSON"),
    ],
)
def test_broken_documents_are_an_error_with_the_line(text: str, path: str, where: str) -> None:
    assert _refusal(text, path).startswith(f"list: {where}")


@pytest.mark.parametrize("text", ["null", " null\n", "---\n", "--- ~\n...\n"])
def test_a_document_of_nothing_is_taken_for_a_failure(text: str) -> None:
    for path in ("a.yaml", "a.json" if "n" in text else "a.yml"):
        assert _refusal(text, path).endswith("it is empty; a list without images holds a comment line: # none")


@pytest.mark.parametrize("text", ["[]", "{}", "# none\n", "--- # none\n# none\n", '{"items": []}'])
def test_a_document_without_images_is_fine(text: str) -> None:
    assert found(text, "a.yaml") == set()
