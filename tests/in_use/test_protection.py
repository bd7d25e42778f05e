"""The collector under in-use protection: what runs stays, and where that is not known nothing goes."""

import contextlib
import json
from typing import Any

import pytest

from tests.aws.calls import Call
from tests.in_use.conftest import HOST, World
from tests.wire.builder import Builder

ECS = ("--protect-in-use", "ecs")
ARN = "arn:aws:ecs:us-east-1:123456789012"


def test_without_the_flag_everything_is_as_it_was_and_nobody_is_asked(world: World) -> None:
    world.service("web", "build-1")
    before = len(world.cloud.calls)
    done = world.collect()
    assert done.exit == 0
    assert world.names() == {"image 4"}
    assert len(world.cloud.calls) == before


def test_what_a_service_of_no_task_uses_stays(world: World) -> None:
    world.service("web", "build-1", count=0)
    done = world.collect(*ECS)
    assert done.exit == 0
    assert world.names() == {"image 1", "image 4"}
    assert "In use was read from ecs (1 use) in 123456789012 us-east-1" in done.err


def test_standard_output_is_to_the_letter_that_of_the_original(world: World) -> None:
    world.service("web", "build-3")
    digests = [world.repository.digests[f"image {number}"][:16] for number in (2, 1)]
    assert world.collect(*ECS).out.splitlines() == [
        "Total images in app (us-east-1): 4",
        "Images to delete (2)",
        f"  2017-03-22 08:53:20: {digests[0]}... [build-2]",
        f"  2017-03-21 08:53:20: {digests[1]}... [build-1]",
        "Deleted (2)",
        f"  {digests[0]}... (build-2)",
        f"  {digests[1]}... (build-1)",
        "Failures (0)",
    ]


def test_a_running_child_keeps_its_index_and_what_it_lists(world: World) -> None:
    built = Builder(world.sandbox, "multi")
    built.image("arm")
    built.image("amd")
    built.index("old", "build-1", children=["arm", "amd"])
    built.image("signature", subject="old")
    built.image("older", "build-0")
    built.image("new", "build-2")
    world.service("web", f"{HOST}/multi@{built.digests['arm']}")
    assert world.run("--repo", "multi", "--keep", "build=1", "--delete-untagged", *ECS).exit == 0
    assert built.names() == {"arm", "amd", "old", "signature", "new"}


def test_a_tag_that_has_moved_on_keeps_both_what_it_points_at_and_what_was_recorded(world: World) -> None:
    world.service("web", "build-2")
    recorded = world.repository.digests["image 1"]

    def revision(call: Call) -> dict[str, Any]:
        arns = call.parameters["serviceRevisionArns"]
        image = {"containerName": "main", "image": f"{HOST}/app:build-2", "imageDigest": recorded}
        of_web = {"serviceArn": f"{ARN}:service/prod/web", "clusterArn": f"{ARN}:cluster/prod"}
        rows = [{"serviceRevisionArn": arn, "containerImages": [image], **of_web} for arn in arns]
        return {"serviceRevisions": rows}

    def with_revision(_: Call, answer: dict[str, Any]) -> dict[str, Any]:
        arn = f"{ARN}:service-revision/prod/web/1"
        for each in answer["services"]:
            each["currentServiceRevisions"] = [{"arn": arn}]
        return answer

    world.cloud.amend("ecs", "DescribeServices", with_revision)
    world.cloud.answer("ecs", "DescribeServiceRevisions", revision)
    assert world.collect(*ECS).exit == 0
    assert world.names() == {"image 1", "image 2", "image 4"}


def test_one_cluster_that_may_not_be_read_stops_every_deletion(world: World) -> None:
    world.service("web", "build-1")
    world.service("api", "build-2", cluster="stage")
    world.cloud.deny("ecs", "ListTasks", when=lambda call: "stage" in str(call.parameters["cluster"]))
    done = world.collect(*ECS)
    assert done.exit == 3
    assert done.out == ""
    assert len(world.names()) == 4
    assert "what is in use is not known, and without it nothing is deleted: ecs@123456789012/us-east-1: " in done.err
    assert "the permission ecs:ListTasks is missing" in done.err
    assert "--allow-unread ecs@123456789012/us-east-1" in done.err


@pytest.mark.parametrize("fault", ["fail", "cut", "garbage", "throttle"])
def test_an_answer_that_does_not_come_whole_stops_every_deletion(world: World, fault: str) -> None:
    world.service("web", "build-1")
    getattr(world.cloud, fault)("ecs", "DescribeServices")
    done = world.collect(*ECS)
    assert done.exit == 3
    assert len(world.names()) == 4


def test_what_is_allowed_to_be_missing_is_named_and_gone_on_without(world: World) -> None:
    world.service("web", "build-1")
    world.cloud.deny("lambda", "ListFunctions")
    done = world.collect("--protect-in-use", "ecs,lambda", "--allow-unread", "lambda", "--output", "json")
    assert done.exit == 0
    assert world.names() == {"image 1", "image 4"}
    (missing,) = json.loads(done.out)["in_use"]["gone_on_without"]
    assert missing["origin"] == {"source": "lambda", "account": "123456789012", "region": "us-east-1", "name": None}
    assert "lambda:ListFunctions" in missing["reason"]
    assert done.err.count("warning: going on without lambda@123456789012/us-east-1") == 1


def test_workloads_are_read_again_before_the_first_deletion_and_what_began_to_run_stays(world: World) -> None:
    world.service("web", "build-1")
    seen = len(world.cloud.named("ecs", "ListClusters"))

    def deploy(_: Call, answer: dict[str, Any]) -> dict[str, Any]:
        if len(world.cloud.named("ecs", "ListClusters")) == seen + 2:
            world.service("late", "build-2", cluster="other")
            answer["clusterArns"].append("arn:aws:ecs:us-east-1:123456789012:cluster/other")
        return answer

    world.cloud.amend("ecs", "ListClusters", deploy)
    done = world.collect(*ECS)
    assert done.exit == 0
    assert world.names() == {"image 1", "image 2", "image 4"}
    assert "Images to delete (2)" in done.out
    digest = world.repository.digests["image 2"][:16]
    assert f"  {digest}... InUse: in-use: ecs:other/late uses it (build-2)" in done.out
    assert world.collect(*ECS, "--strict").exit == 0


def test_a_second_reading_that_fails_ends_the_work_before_anything_is_deleted(world: World) -> None:
    world.service("web", "build-1")
    world.cloud.deny("ecs", "ListClusters", nth=2)
    done = world.collect(*ECS)
    assert done.exit == 3
    assert len(world.names()) == 4
    assert "2 images were not attempted" in done.err


def test_nobody_is_asked_where_nothing_would_be_deleted(world: World) -> None:
    before = len(world.cloud.calls)
    assert world.run("--repo", "app", "--keep", "build=4", *ECS).exit == 0
    assert len(world.cloud.calls) == before


def test_all_names_the_sources_that_the_region_does_not_have(world: World) -> None:
    world.service("web", "build-1")
    done = world.collect("--protect-in-use", "all", "--dry-run")
    assert done.exit == 0
    assert "to look there too: all,agentcore,imagebuilder" in done.err
    for source in ("ecs", "lambda", "apprunner", "batch", "sagemaker", "codebuild", "cloudformation", "eks"):
        assert source in done.err


def test_a_policy_file_protects_every_repository_with_one_reading(world: World) -> None:
    other = Builder(world.sandbox, "other")
    for number in range(3):
        other.image(f"image {number}", f"build-{number}")
    world.service("web", "build-1")
    world.service("api", f"{HOST}/other:build-0")
    before = len(world.cloud.named("ecs", "ListClusters"))
    done = world.run("run", "-f", world.policy("{sources: [ecs]}"), "--yes")
    assert done.exit == 0
    assert world.names() == {"image 1", "image 4"}
    assert other.names() == {"image 0", "image 2"}
    assert len(world.cloud.named("ecs", "ListClusters")) == before + 2


def test_a_plan_says_what_is_in_use_and_what_is_broken(world: World) -> None:
    world.service("web", "build-1")
    world.service("lost", "build-9")
    done = world.run("plan", "-f", world.policy("{sources: [ecs], task_definition_revisions: 0}"))
    assert done.exit == 0
    assert "  in-use: 1" in done.out
    assert (
        f"Broken: ecs:prod/lost (123456789012/us-east-1) is to run {HOST}/app:build-9, which is not there to be pulled"
        in done.out
    )
    assert "In use was read from ecs (2 uses) in 123456789012 us-east-1" in done.out
    content = json.loads(world.run("plan", "-f", world.policy("{sources: [ecs]}"), "--output", "json").out)
    assert [each["workload"] for each in content["repositories"][0]["broken"]] == ["prod/lost"]
    assert content["in_use"]["read"][0]["source"] == "ecs"


def test_explain_names_the_workload(world: World) -> None:
    world.service("web", "build-1")
    done = world.run("explain", "app:build-1", "--keep", "build=1", *ECS)
    assert done.exit == 0
    assert "ecs:prod/web uses it" in done.out


def test_other_accounts_are_entered_with_the_role(world: World) -> None:
    ecs = world.aws("ecs", account="210987654321")
    ecs.create_cluster(clusterName="far")
    container = {"name": "main", "image": f"{HOST}/app:build-2", "memory": 8}
    ecs.register_task_definition(family="far", containerDefinitions=[container])
    there = world.policy("{sources: [ecs], accounts: ['210987654321'], role: reader}")
    done = world.run("plan", "-f", there)
    assert done.exit == 0, done.err
    assert (
        "In use was read from ecs (0 uses) in 123456789012 us-east-1; ecs (1 use) in 210987654321 us-east-1" in done.out
    )
    assert "  in-use: 1" in done.out
    (entered,) = world.cloud.named("sts", "AssumeRole")[-1:]
    assert entered.parameters["RoleArn"] == "arn:aws:iam::210987654321:role/reader"


def test_an_account_that_can_not_be_entered_stops_every_deletion(world: World) -> None:
    world.cloud.deny("sts", "AssumeRole")
    there = world.policy("{sources: [ecs], accounts: ['210987654321'], role: reader}")
    done = world.run("run", "-f", there, "--yes")
    assert done.exit == 3
    assert len(world.names()) == 4
    assert "role@210987654321: access denied: the permission sts:AssumeRole is missing" in done.err
    assert world.run("run", "-f", there, "--yes", "--allow-unread", "role@210987654321").exit == 0


def test_all_accounts_of_the_organization_are_looked_into(world: World) -> None:
    accounts = [
        {"Id": "210987654321", "Status": "ACTIVE"},
        {"Id": "310987654321", "Status": "SUSPENDED"},
        {"Id": "123456789012", "Status": "ACTIVE"},
    ]
    world.cloud.answer("organizations", "ListAccounts", lambda _: {"Accounts": accounts})
    done = world.run(
        "plan", "-f", world.policy("{sources: [ecs], organization: true, role: reader, regions: [eu-west-1]}")
    )
    assert done.exit == 0, done.err
    assert (
        "In use was read from ecs (0 uses) in 123456789012 eu-west-1; ecs (0 uses) in 210987654321 eu-west-1"
        in done.out
    )


def test_a_list_protects_what_it_names(world: World) -> None:
    (world.folder / "images.txt").write_text(f"# by hand\n{HOST}/app:build-2\n")
    done = world.run("run", "-f", world.policy("{lists: [{file: images.txt}]}"), "--yes")
    assert done.exit == 0, done.err
    assert world.names() == {"image 2", "image 4"}
    (world.folder / "images.txt").unlink()
    assert world.run("plan", "-f", world.policy("{lists: [{file: images.txt}]}"), "--repo", "app").exit == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--protect-in-use", "ecs,lamda"), "'lamda' is no source; there are ecs, lambda"),
        (("--protect-in-use", "kubernetes"), "kubernetes needs to be told where: write it in a policy file"),
        (("--allow-unread", "ecs"), "--allow-unread: nobody is asked what is in use"),
        (("--protect-in-use", "ecs", "--allow-unread", "everything"), "'everything' is no source"),
        (("--protect-in-use", "ecs", "--allow-unread", "ecs@"), "write ecs, or ecs@123456789012/us-east-1"),
    ],
)
def test_what_can_not_be_meant_is_refused_before_anything_is_called(
    world: World, words: tuple[str, ...], message: str
) -> None:
    before = len(world.cloud.calls)
    done = world.collect(*words)
    assert done.exit == 2
    assert message in done.err
    assert len(world.cloud.calls) == before
    assert world.sandbox.calls == []


def test_the_account_of_another_registry_is_looked_into_too_and_must_be_entered(world: World) -> None:
    world.sandbox.registry("210987654321").create_repository("app")
    words = ("plan", "--repo", "app", "--keep", "build=1", "--registry-id", "210987654321", "--protect-in-use", "ecs")
    assert world.run(*words).exit == 0  # there is nothing to delete, so nobody is asked
    built = world.sandbox.registry("210987654321").repository("app")
    for image in list(world.repository.repository.images.values()):
        built.tag(image.tags[0], built.put(image.manifest, image.media_type, pushed_at=image.pushed_at))
    done = world.run(*words)
    assert done.exit == 3
    assert "role@210987654321: it can't be entered without a role" in done.err


def test_a_forecast_says_that_it_does_not_look_for_what_is_in_use(world: World) -> None:
    done = world.run("plan", "-f", world.policy("{sources: [ecs]}"), "--forecast", "30d")
    assert done.exit == 0
    assert "what is in use is no part of a forecast" in done.err


def test_the_permissions_that_are_printed_allow_every_call_that_is_made(world: World) -> None:
    world.service("web", "build-1", count=1)
    before = len(world.cloud.calls)
    assert world.collect("--protect-in-use", "all", "--dry-run").exit == 0
    made = {
        f"{call.service}:{call.operation}".replace("stepfunctions", "states") for call in world.cloud.calls[before:]
    }
    document = json.loads(world.run("iam-policy", "--repo", "app", "--keep", "build=1", "--protect-in-use", "all").out)
    allowed = {action for statement in document["Statement"] for action in statement["Action"]}
    assert made - {"sts:GetCallerIdentity"} <= allowed
    assert {"ecs:DescribeServices", "lambda:ListFunctions", "ecr:BatchDeleteImage"} <= allowed


def test_the_role_for_other_accounts_may_look_and_nothing_else(world: World) -> None:
    path = world.policy("{sources: [ecs], accounts: ['210987654321'], role: path/reader}")
    (statement,) = json.loads(world.run("iam-policy", "-f", path, "--for-workloads").out)["Statement"]
    assert all(action.startswith(("ecs:", "events:", "scheduler:", "states:")) for action in statement["Action"])
    own = json.loads(world.run("iam-policy", "-f", path).out)["Statement"]
    entering = next(each for each in own if each["Sid"] == "AwsEcrGcEnterAccounts")
    assert entering["Resource"] == "arn:aws:iam::210987654321:role/path/reader"


def test_sources_that_are_named_one_by_one_are_all_asked(world: World) -> None:
    world.service("web", "build-1")
    done = world.collect("--protect-in-use", "ecs", "--protect-in-use", "lambda", "--dry-run")
    assert "In use was read from ecs (1 use), lambda (0 uses) in" in done.err
    assert "Images to delete (2)" in done.out


def test_a_region_where_all_is_nothing_is_refused(world: World) -> None:
    world.service("web", "build-1")
    done = world.run("plan", "-f", world.policy("{sources: all, regions: [us-east-9]}"))
    assert done.exit == 2
    assert (
        "us-east-9: botocore lists no service there" in done.err or "us-east-9: botocore knows no service" in done.err
    )


def test_a_plan_names_what_only_a_workload_keeps(world: World) -> None:
    world.service("web", "build-1")
    done = world.run("plan", "-f", world.policy("{sources: [ecs]}"))
    short = world.repository.digests["image 1"][:16]
    assert f"Kept by what uses them, and by no rule\n  {short}... [build-1]: ecs:prod/web uses it" in done.out


def test_a_run_that_may_not_look_again_names_what_it_did_not_reach(world: World) -> None:
    other = Builder(world.sandbox, "other")
    for number in range(3):
        other.image(f"image {number}", f"build-{number}")
    world.service("web", "build-1")
    world.cloud.deny("ecs", "ListClusters", nth=2)
    done = world.run("run", "-f", world.policy("{sources: [ecs]}"), "--yes", "--concurrency", "1")
    assert done.exit == 3
    assert "repository other: not reached; run again to finish" in done.err
    assert len(other.names()) == 3


def test_closed_accounts_of_the_organization_are_not_entered(world: World) -> None:
    accounts = [{"Id": "310987654321", "State": "CLOSED"}, {"Id": "210987654321", "State": "ACTIVE"}]
    world.cloud.answer("organizations", "ListAccounts", lambda _: {"Accounts": accounts})
    done = world.run("plan", "-f", world.policy("{sources: [ecs], organization: true, role: reader}"))
    assert done.exit == 0, done.err
    assert "310987654321" not in done.out


def test_a_source_that_nobody_looks_into_can_not_be_allowed_to_be_missing(world: World) -> None:
    done = world.collect(*ECS, "--allow-unread", "lambda")
    assert done.exit == 2
    assert "--allow-unread lambda: nobody looks there" in done.err


def test_two_lists_of_one_name_both_count(world: World) -> None:
    command = "[sh, -c, 'echo " + f"{HOST}/app:build-$(cat number); echo $(($(cat number) + 1)) > number" + "']"
    (world.folder / "number").write_text("1")
    path = world.policy(f"{{lists: [{{command: {command}}}, {{file: images.txt}}]}}")
    (world.folder / "images.txt").write_text(f"{HOST}/app:build-2\n")
    with contextlib.chdir(world.folder):
        done = world.run("plan", "-f", path)
    assert done.exit == 0, done.err
    assert "  in-use: 2" in done.out


@pytest.mark.parametrize("region", ["fips-us-east-1", "us-east-1-fips"])
def test_an_alias_of_a_region_by_which_botocore_turns_on_fips_is_that_region(world: World, region: str) -> None:
    world.service("web", "build-1")
    assert world.collect(*ECS, "--region", region).exit == 0
    assert world.names() == {"image 1", "image 4"}
    world.repository.image("image 5", "build-5")
    done = world.run("plan", "-f", world.policy(f"{{sources: [ecs], regions: [{region}]}}"))
    assert "  in-use: 1" in done.out


def test_a_tag_that_ends_oddly_is_found_in_templates_and_definitions_too(world: World) -> None:
    built = Builder(world.sandbox, "odd")
    for tag in ("b-", "b_", "b.", "b", "b9"):
        built.image(tag, tag)
    lines = {
        f"P{number}": {"Default": f"{HOST}/odd:{tag}", "Type": "String"} for number, tag in enumerate(("b-", "b_"))
    }
    body = json.dumps({"Parameters": lines, "Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    world.aws("cloudformation").create_stack(StackName="s", TemplateBody=body)
    done = world.run("--repo", "odd", "--keep", "b=1", "--protect-in-use", "cloudformation")
    assert done.exit == 0, done.err
    assert built.names() == {"b-", "b_", "b9"}


def test_a_reading_that_is_out_of_date_is_made_again(world: World) -> None:
    """These are good for no time at all."""
    world.service("web", "build-1")
    digests = world.repository.digests
    with world.prepared(fresh=0.0) as (inventory, workloads):
        veto = workloads.veto(inventory, workloads.read())
        world.service("late", "build-2")
        assert set(veto()) == {digests["image 1"], digests["image 2"]}
        world.service("later", "build-3")
        assert set(veto()) == {digests["image 1"], digests["image 2"], digests["image 3"]}


def test_a_reading_that_is_fresh_is_not_made_again(world: World) -> None:
    world.service("web", "build-1")
    before = len(world.cloud.named("ecs", "ListClusters"))
    with world.prepared(fresh=300.0) as (inventory, workloads):
        veto = workloads.veto(inventory, workloads.read())
        first = veto()
        world.service("late", "build-2")
        assert veto() is first
    assert len(world.cloud.named("ecs", "ListClusters")) == before + 2
