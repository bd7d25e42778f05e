"""Which accounts and regions are meant, how each is entered, and that workloads are looked for in the same ones."""

import json
import os
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.aws.calls import Call
from tests.aws.conftest import Aws, aws, cloud, credentials, running_cloud
from tests.aws.server import Cloud
from tests.conftest import Finished, Shell
from tests.fleet.test_organization import Organization, organization
from tests.fleet.test_reach import EVERYWHERE, FIRST, HOME, SECOND, Fleet, places

__all__ = ["Aws", "aws", "cloud", "credentials", "organization", "running_cloud"]

BOTH = ("--account", FIRST, "--account", SECOND, "--role", "gc")


class Place(Fleet):
    """The same, where everything but Organizations is asked of the stand-in."""

    def __call__(self, *words: str, **environment: str | None) -> Finished:
        return super().__call__(*words, **{"AWS_ENDPOINT_URL": self.sandbox.url, **environment})

    def written(self, targets: Mapping[str, object] | None = None, in_use: object = None) -> str:
        """A policy file with these targets, and in-use protection."""
        content = json.loads(Path(self.policy).read_text())
        content |= {} if targets is None else {"targets": targets}
        content |= {} if in_use is None else {"in_use": in_use}
        file = self.folder / "written.json"
        file.write_text(json.dumps(content))
        return str(file)

    def runs(self, account: str, region: str, image: str) -> None:
        """Let a service of an account and region run an image."""
        ecs = self.sandbox.workloads(account, region).ecs
        ecs.create_cluster("prod").create_service("web", ecs.register("web", image).name)

    def called(self, operation: str) -> list[tuple[str, str]]:
        return [(call.account, call.region) for call in self.sandbox.calls if call.operation == operation]

    def tags(self, account: str, region: str, name: str = "app") -> set[str]:
        images = self.sandbox.registry(account, region).repository(name).images.values()
        return {tag for image in images for tag in image.tags}


@pytest.fixture
def fleet(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> Place:
    return Place(sandbox, shell, tmp_path)


def image(account: str, region: str, tag: str) -> str:
    return f"{account}.dkr.ecr.{region}.amazonaws.com/app:{tag}"


@pytest.mark.parametrize("stated", ["us-east-1-fips", "fips-us-east-1"])
def test_what_runs_an_image_is_found_whichever_alias_the_region_is_stated_by(fleet: Place, stated: str) -> None:
    fleet.runs(FIRST, "us-east-1", image(FIRST, "us-east-1", "build-0"))
    file = fleet.written(in_use={"sources": ["ecs"]})
    finished = fleet("run", "-f", file, "--yes", *BOTH, "--region", stated, "--region", "eu-west-1")
    assert finished.exit == 0, finished.err
    assert fleet.tags(FIRST, "us-east-1") == {"build-0", "build-2", "build-3"}
    assert fleet.tags(SECOND, "us-east-1") == {"build-2", "build-3"}


def test_a_region_and_its_alias_are_one_place(fleet: Place) -> None:
    finished = fleet(
        "plan", "-f", fleet.policy, *BOTH, "--region", "us-east-1", "--region", "us-east-1-fips", "--output", "json"
    )
    assert finished.exit == 0, finished.err
    assert places(json.loads(finished.out)) == [(FIRST, "us-east-1"), (SECOND, "us-east-1")]


def test_all_regions_are_asked_for_where_no_call_is_signed_for_a_region_of_that_name(fleet: Place) -> None:
    finished = fleet("plan", "-f", fleet.policy, *BOTH, "--region", "all", "--output", "json")
    assert finished.exit == 0, finished.err
    assert len(places(json.loads(finished.out))) == 4
    assert {region for _, region in fleet.called("GetCallerIdentity")} == {"us-east-1"}


@pytest.mark.parametrize("words", [("--region", "all"), ()])
def test_workloads_are_read_in_the_regions_that_each_account_has_enabled_and_in_no_other(
    fleet: Place, words: tuple[str, ...]
) -> None:
    fleet.sandbox.enable(HOME, "us-east-1", "us-west-2")
    fleet.sandbox.enable(FIRST, "us-east-1")
    fleet.sandbox.enable(SECOND, "eu-west-1", "af-south-1")
    fleet.runs(HOME, "us-west-2", image(FIRST, "us-east-1", "build-0"))
    file = fleet.written({"regions": "all"}, {"sources": ["ecs"]})
    finished = fleet("run", "-f", file, "--yes", *BOTH, *words)
    assert finished.exit == 0, finished.err
    assert fleet.tags(FIRST, "us-east-1") == {"build-0", "build-2", "build-3"}
    assert fleet.tags(SECOND, "eu-west-1") == {"build-2", "build-3"}
    assert set(fleet.called("ListClusters")) == {
        (HOME, "us-east-1"), (HOME, "us-west-2"), (FIRST, "us-east-1"), (SECOND, "eu-west-1"), (SECOND, "af-south-1"),
    }  # fmt: skip


def test_an_account_whose_regions_nobody_may_list_stops_every_deletion_unless_it_is_named(fleet: Place) -> None:
    file = fleet.written({"regions": "all"}, {"sources": ["ecs"]})
    fleet.sandbox.faults = Faults(deny_on={FIRST: ["ListRegions"]})
    finished = fleet("run", "-f", file, "--yes", *BOTH)
    assert finished.exit == 3
    assert not fleet.sandbox.deletions
    assert f"way round: --allow-unread role@{FIRST}" in finished.err
    finished = fleet("run", "-f", file, "--yes", *BOTH, "--allow-unread", f"role@{FIRST}")
    assert finished.exit == 3  # for the account itself was not looked into
    assert fleet.tags(SECOND, "us-east-1") == {"build-2", "build-3"}


def test_all_that_a_role_asks_for_is_said_where_workloads_are_read_too(fleet: Place) -> None:
    fleet.sandbox.trust(FIRST, "ext-1", tool="gc", stage="prod")
    entry = ("--role", "gc", "--external-id", "ext-1", "--session-tag", "tool=gc", "--session-tag", "stage=prod")
    file = fleet.written(in_use={"sources": ["ecs"]})
    finished = fleet("run", "-f", file, "--yes", "--account", FIRST, *entry, "--region", "us-east-1")
    assert finished.exit == 0, finished.err
    assert fleet.tags(FIRST, "us-east-1") == {"build-2", "build-3"}
    asked = [call.request for call in fleet.sandbox.calls if call.operation == "AssumeRole"]
    assert len(asked) == 3  # for the registry, and for two readings of its workloads
    assert all(each["ExternalId"] == "ext-1" and len(each["Tags"]) == 2 for each in asked)
    (journal,) = fleet.folder.rglob("journal-*.jsonl")
    assert json.loads(journal.read_text().splitlines()[0])["in_use"]["session_tags"] == {"tool": "gc", "stage": "prod"}


def test_a_role_that_asks_for_something_else_is_not_entered(fleet: Place) -> None:
    fleet.sandbox.trust(FIRST, "ext-1")
    finished = fleet("plan", "-f", fleet.policy, "--account", FIRST, "--role", "gc", "--external-id", "ext-2")
    assert finished.exit == 3
    assert "sts:AssumeRole" in finished.err


@pytest.mark.parametrize("regions", [("--region", "all"), ("--region", "us-east-1", "--region", "eu-west-1")])
def test_each_account_is_entered_once_however_many_accounts_and_regions_there_are(
    fleet: Place, regions: tuple[str, ...]
) -> None:
    accounts = [f"3{number:011}" for number in range(80)]
    words = [word for account in accounts for word in ("--account", account)]
    fleet.sandbox.faults = Faults(latency=0.002)
    finished = fleet("plan", "-f", fleet.policy, *words, "--role", "gc", *regions)
    assert finished.exit == 0, finished.err
    entered = Counter(call.request["RoleArn"] for call in fleet.sandbox.calls if call.operation == "AssumeRole")
    assert set(entered.values()) == {1}
    assert len(entered) == 80


def test_ctrl_c_is_heard_while_accounts_are_entered_to_list_their_regions(fleet: Place) -> None:
    accounts = [f"3{number:011}" for number in range(100)]
    words = [word for account in accounts for word in ("--account", account)]
    fleet.sandbox.before("ListRegions", lambda _: os.kill(os.getpid(), signal.SIGINT), call=3)
    finished = fleet("plan", "-f", fleet.policy, *words, "--role", "gc", "--region", "all")
    assert finished.exit == 130
    assert "interrupted" in finished.err
    assert len(fleet.called("ListRegions")) < 60
    assert not fleet.called("DescribeRepositories")


def test_ctrl_c_is_heard_while_accounts_are_asked_for_their_tags(organization: Organization, cloud: Cloud) -> None:
    for number in range(6):
        organization.account(f"a{number}", stage="prod")

    def interrupted(_: Call, output: dict[str, object]) -> dict[str, object]:
        os.kill(os.getpid(), signal.SIGINT)
        return output

    cloud.amend("organizations", "ListTagsForResource", interrupted)
    finished = organization.planned("--account-tag", "stage=prod")
    assert finished.exit == 130
    assert len(cloud.named("organizations", "ListTagsForResource")) < 3


def test_the_time_to_decide_as_at_holds_for_every_place(fleet: Place) -> None:
    file = fleet.folder / "aged.json"
    rules = [{"name": "builds", "match": {"prefix": "build-"}, "keep": {"younger_than": "30d"}}]
    file.write_text(
        json.dumps({"version": 1, "guards": {"keep_tagged": 0, "keep_at_least": 0}, "policies": [{"rules": rules}]})
    )
    now = json.loads(fleet("plan", "-f", str(file), *EVERYWHERE, "--output", "json").out)
    finished = fleet("plan", "-f", str(file), *EVERYWHERE, "--output", "json", "--at", "2017-03-25")
    assert "as at 2017-03-25 00:00" in finished.err
    document = json.loads(finished.out)
    assert document["at"] == "2017-03-25T00:00:00Z"
    assert (now["summary"]["planned"], document["summary"]["planned"]) == (32, 0)


@pytest.mark.parametrize("words", [("--repo", "*"), ("--repo", "a*", "--repo", "lib"), ("--repo", "!nothing"), ()])
@pytest.mark.parametrize("where", [BOTH, ()])
def test_what_the_file_takes_out_stays_out_whatever_flags_choose(
    fleet: Place, words: tuple[str, ...], where: tuple[str, ...]
) -> None:
    for name in ("app", "lib"):
        fleet.fill(HOME, "us-east-1", name)
    file = fleet.written({"repositories": ["*", "!app"]})
    finished = fleet("run", "-f", file, "--yes", *where, *words)
    assert finished.exit == 0, finished.err
    account = FIRST if where else HOME
    assert fleet.tags(account, "us-east-1") == {"build-0", "build-1", "build-2", "build-3"}
    assert fleet.tags(account, "us-east-1", "lib") == {"build-2", "build-3"}
    assert fleet("run", "-f", file, "--yes", *where, "--all-repos").exit == 0
    assert fleet.tags(account, "us-east-1") == {"build-2", "build-3"}


def test_a_flag_that_takes_out_leaves_what_the_file_chooses(fleet: Place) -> None:
    file = fleet.written({"repositories": ["app", "l*"]})
    finished = fleet("plan", "-f", file, *EVERYWHERE, "--repo", "!lib", "--output", "json")
    parts = [part for place in json.loads(finished.out)["places"] for part in place["repositories"]]
    assert {part["repository"]["name"] for part in parts} == {"app"}


def test_units_and_tags_of_the_file_hold_whatever_flags_choose(organization: Organization, fleet: Place) -> None:
    prod, dev = organization.unit("prod"), organization.unit("dev")
    web, east = organization.account("web", prod, stage="prod"), organization.account("east", prod, stage="prod-east")
    organization.account("play", dev, stage="prod")
    organization.account("old", prod, stage="old")
    targets = {"organization": True, "units": [prod], "account_tags": {"stage": "prod*"}, "role": "gc"}
    file = fleet.written(targets)

    def chosen(*words: str) -> set[object]:
        return {account for account, _ in places(json.loads(organization.planned(*words, file=file).out))}

    assert chosen() == {web, east}
    assert chosen("--account-tag", "stage=*east") == {east}
    assert chosen("--unit", organization.root) == {web, east}
    finished = organization.planned("--unit", dev, file=file)
    assert finished.exit == 2
    assert "no active account that fits" in finished.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--repo", "ap"), "no repository fits ap in any account and region that was read"),
        (("--repo", "app", "--repo", "x*"), "no repository fits x* in any account and region that was read"),
        (("--repo", "a*", "--repo", "!app"), "no repository is left: all are taken out by !app"),
    ],
)
@pytest.mark.parametrize("command", [("plan",), ("run", "--yes")])
def test_what_fits_nothing_anywhere_is_said_and_shows_in_the_exit_code(
    fleet: Place, command: tuple[str, ...], words: tuple[str, ...], complaint: str
) -> None:
    finished = fleet(*command, "-f", fleet.policy, *EVERYWHERE, *words, "--output", "json")
    assert finished.exit == 3
    assert complaint in finished.err
    assert json.loads(finished.out)["exit"] == 3


def test_what_fits_in_one_place_alone_is_no_mistake(fleet: Place) -> None:
    fleet.fill(SECOND, "eu-west-1", "only")
    finished = fleet("plan", "-f", fleet.policy, *EVERYWHERE, "--repo", "onl?", "--repo", "app")
    assert finished.exit == 0
    assert "fits" not in finished.err


def test_of_one_registry_nothing_left_is_a_mistake(fleet: Place) -> None:
    fleet.fill(HOME, "us-east-1", "app")
    finished = fleet("plan", "-f", fleet.policy, "--repo", "a*", "--repo", "!app")
    assert (finished.exit, finished.out) == (2, "")
    assert "no repository is left: all are taken out by !app" in finished.err


def test_ones_own_account_needs_no_role(fleet: Place) -> None:
    fleet.fill(HOME, "us-east-1", "app")
    finished = fleet("plan", "-f", fleet.policy, "--account", HOME, "--output", "json")
    assert finished.exit == 0, finished.err
    assert places(json.loads(finished.out)) == [(HOME, "us-east-1")]
    assert not fleet.called("AssumeRole")


@pytest.mark.parametrize("name", ["us-nordic-1", "eu-west-9", "ap-southeast-7", "us-gov-west-1", "eusc-de-east-1"])
def test_a_region_that_nobody_here_knows_yet_is_opened(fleet: Place, name: str) -> None:
    finished = fleet("plan", "-f", fleet.policy, "--region", name, "--output", "json")
    assert "is not a region" not in finished.err
    assert {region for _, region in fleet.called("DescribeRepositories")} == {name}
