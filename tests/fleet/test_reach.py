"""`plan` and `run` over several accounts and regions of the stand-in: each place by itself, all in one report."""

import json
from pathlib import Path

import jsonschema
import pytest

from aws_ecr_gc.report import fleets
from aws_ecr_gc.sandbox import Faults, Sandbox
from aws_ecr_gc.sandbox.errors import ServiceError
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, policy, policy_file

FIRST, SECOND, HOME = "111111111111", "222222222222", "123456789012"
PLACES = [(account, region) for account in (FIRST, SECOND) for region in ("us-east-1", "eu-west-1")]
EVERYWHERE = ("--account", FIRST, "--account", SECOND, "--role", "gc", "--region", "us-east-1", "--region", "eu-west-1")


class Fleet:
    """Accounts and regions, each with repositories `app` and `lib` of four builds; and the program."""

    def __init__(self, sandbox: Sandbox, shell: Shell, folder: Path) -> None:
        self.sandbox = sandbox
        self._shell = shell
        self.folder = folder
        self.repositories = {
            (account, region, name): self.fill(account, region, name)
            for account, region in PLACES
            for name in ("app", "lib")
        }
        self.policy = policy_file(folder / "policy.json", policy(BUILDS))

    def fill(self, account: str, region: str, name: str) -> Builder:
        repo = Builder(self.sandbox, name, account=account, region=region)
        for number in range(4):
            repo.image(f"{account}{region}{name}{number}", f"build-{number}")
        return repo

    def __call__(self, *words: str, **environment: str | None) -> Finished:
        return self._shell(
            *words,
            **{"AWS_ENDPOINT_URL_STS": self.sandbox.url, "AWS_ENDPOINT_URL_ACCOUNT": self.sandbox.url, **environment},
        )

    def left(self) -> dict[tuple[str, str, str], int]:
        return {key: len(repo.repository.images) for key, repo in self.repositories.items()}


@pytest.fixture
def fleet(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> Fleet:
    return Fleet(sandbox, shell, tmp_path)


def places(document: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    return [(each["account"], each["region"]) for each in document["places"]]


def test_every_place_is_planned_in_order_and_nothing_is_deleted(fleet: Fleet) -> None:
    finished = fleet("plan", "-f", fleet.policy, *EVERYWHERE)
    assert finished.exit == 0
    headings = [line for line in finished.out.splitlines() if line.startswith("Account ")]
    assert headings == [f"Account {account}, {region}" for account, region in PLACES]
    assert finished.out.endswith("To delete in 8 repositories of 4 places: 16 images, at most 40.0 kB\n")
    assert set(fleet.left().values()) == {4}


def test_the_document_has_each_place_and_numbers_that_add_up(fleet: Fleet) -> None:
    finished = fleet("run", "-f", fleet.policy, "--yes", "--output", "json", *EVERYWHERE)
    assert finished.exit == 0
    document = json.loads(finished.out)
    jsonschema.validate(document, fleets.schema())
    assert places(document) == PLACES
    for place in document["places"]:
        assert [part["repository"]["name"] for part in place["repositories"]] == ["app", "lib"]
        assert {part["repository"]["account"] for part in place["repositories"]} == {place["account"]}
        assert place["summary"]["done"] == place["summary"]["planned"] == 4
    for number in ("repositories", "images", "planned", "done", "calls"):
        assert document["summary"][number] == sum(place["summary"][number] for place in document["places"])
    assert document["summary"]["calls"] == sum(call.service == "ecr" for call in fleet.sandbox.calls)
    assert set(fleet.left().values()) == {2}


def test_each_place_has_a_journal_of_its_own(fleet: Fleet) -> None:
    fleet("run", "-f", fleet.policy, "--yes", *EVERYWHERE)
    journals = sorted(path.name.split("-", 2)[2] for path in fleet.folder.rglob("journal-*.jsonl"))
    assert [name.rpartition("-")[0] for name in journals] == sorted(f"{account}-{region}" for account, region in PLACES)


@pytest.mark.parametrize("workers", ["1", "3", "32"])
def test_the_report_is_the_same_whatever_the_concurrency(fleet: Fleet, workers: str) -> None:
    alone = fleet("plan", "-f", fleet.policy, *EVERYWHERE, "--concurrency", "1")
    several = fleet("plan", "-f", fleet.policy, *EVERYWHERE, "--concurrency", workers)
    assert several.out == alone.out


def test_each_place_has_a_plan_file_of_its_own_and_each_is_applied_by_itself(fleet: Fleet) -> None:
    fleet.sandbox.faults = Faults(deny_on={"lib": ["DescribeImages"]})
    out = fleet.folder / "plans"
    planned = fleet("plan", "-f", fleet.policy, *EVERYWHERE, "--out", str(out))
    assert planned.exit == 3
    files = {f"{account}-{region}.json" for account, region in PLACES}
    assert {path.name for path in out.iterdir()} == files
    said = [line for line in planned.err.splitlines() if "Plan written to" in line]
    assert len(said) == 4
    assert f"Plan written to {out}/{FIRST}-us-east-1.json: 2 images to delete in 1 repository" in said[0]
    fleet.sandbox.faults = Faults()
    for number, (account, region) in enumerate(PLACES, 1):
        words = ("apply", str(out / f"{account}-{region}.json"), "--yes", "--region", region)
        assert fleet(*words).exit == 4  # of another account
        done = fleet(*words, AWS_ACCESS_KEY_ID=account)
        assert done.exit == 0, done.err
        assert sum(count == 2 for count in fleet.left().values()) == number


def test_the_plan_file_of_a_place_without_a_plan_is_of_an_earlier_one(fleet: Fleet) -> None:
    out = fleet.folder / "plans"
    words = ("plan", "-f", fleet.policy, *EVERYWHERE, "--out", f"{out}/")
    assert fleet(*words).exit == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    fleet.sandbox.faults = Faults(deny_on={FIRST: ["AssumeRole"]})
    again = fleet(*words)
    assert again.exit == 3
    stays = f"no plan was written to {out}/{FIRST}-eu-west-1.json, for no repository could be planned"
    assert f"{stays}; what is there is of an earlier plan" in again.err
    changed = {name for name, content in before.items() if (out / name).read_bytes() != content}
    assert changed == {f"{SECOND}-{region}.json" for region in ("us-east-1", "eu-west-1")}


def test_several_places_do_not_go_into_one_file(fleet: Fleet) -> None:
    finished = fleet("plan", "-f", fleet.policy, *EVERYWHERE, "--out", fleet.policy)
    assert (finished.exit, finished.out) == (2, "")
    assert "is a file; with several accounts or regions, name a directory" in finished.err
    assert not [call for call in fleet.sandbox.calls if call.service == "ecr"]


def test_an_account_that_can_not_be_entered_keeps_no_other_from_its_plan(fleet: Fleet) -> None:
    fleet.sandbox.faults = Faults(deny_on={FIRST: ["AssumeRole"]})
    finished = fleet("run", "-f", fleet.policy, "--yes", *EVERYWHERE)
    assert finished.exit == 3
    assert f"{FIRST}, us-east-1: not brought to its end: access denied: the permission sts:AssumeRole" in finished.err
    assert f"Not looked into, or not to the end (2): {FIRST}, us-east-1; {FIRST}, eu-west-1" in finished.out
    assert {account: count for (account, _, _), count in fleet.left().items()} == {FIRST: 4, SECOND: 2}


def test_a_place_that_can_not_be_listed_keeps_no_other_from_its_plan(fleet: Fleet) -> None:
    listings = []

    def deny(request: object) -> None:
        listings.append(request)
        if len(listings) == 1:
            raise ServiceError("AccessDeniedException", "not authorized to perform: ecr:DescribeRepositories on it")

    fleet.sandbox.before("DescribeRepositories", deny)
    finished = fleet("plan", "-f", fleet.policy, "--output", "json", *EVERYWHERE)
    assert finished.exit == 3
    document = json.loads(finished.out)
    failed = [place for place in document["places"] if place["failure"]]
    assert len(failed) == 1
    assert "ecr:DescribeRepositories" in failed[0]["failure"]
    assert (failed[0]["exit"], failed[0]["repositories"]) == (3, [])
    assert document["summary"]["repositories"] == 6


def test_a_repository_that_can_not_be_read_keeps_no_other_from_its_plan(fleet: Fleet) -> None:
    fleet.sandbox.faults = Faults(deny_on={"lib": ["DescribeImages"]})
    finished = fleet("run", "-f", fleet.policy, "--yes", "--output", "json", *EVERYWHERE)
    assert finished.exit == 3
    for place in json.loads(finished.out)["places"]:
        assert [each["repository"] for each in place["unread"]] == ["lib"]
        assert [part["repository"]["name"] for part in place["repositories"]] == ["app"]
    assert {name: count for (_, _, name), count in fleet.left().items()} == {"app": 2, "lib": 4}


def test_exclusions_and_globs_choose_in_every_place(fleet: Fleet) -> None:
    document = json.loads(
        fleet("plan", "-f", fleet.policy, "--repo", "*", "--repo", "!l*", "--output", "json", *EVERYWHERE).out
    )
    chosen = [part["repository"]["name"] for place in document["places"] for part in place["repositories"]]
    assert chosen == ["app"] * 4


def test_the_targets_of_a_policy_file_are_looked_into(fleet: Fleet) -> None:
    file = fleet.folder / "targets.json"
    content = json.loads(Path(fleet.policy).read_text())
    targets = {"accounts": [SECOND], "regions": ["eu-west-1"], "role": "gc", "repositories": ["app"]}
    file.write_text(json.dumps({**content, "targets": targets}))
    document = json.loads(fleet("plan", "-f", str(file), "--output", "json").out)
    assert places(document) == [(SECOND, "eu-west-1")]
    assert [part["repository"]["name"] for part in document["places"][0]["repositories"]] == ["app"]
    document = json.loads(fleet("plan", "-f", str(file), "--account", FIRST, "--all-repos", "--output", "json").out)
    assert places(document) == [(FIRST, "eu-west-1")]
    assert document["summary"]["repositories"] == 2


def test_a_region_alone_in_the_file_is_the_region_of_the_one_place(fleet: Fleet) -> None:
    fleet.fill(HOME, "eu-central-1", "app")
    file = fleet.folder / "targets.json"
    content = json.loads(Path(fleet.policy).read_text())
    file.write_text(json.dumps({**content, "targets": {"regions": ["eu-central-1"]}}))
    assert "Total images in app (eu-central-1): 4\n" in fleet("plan", "-f", str(file)).out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--account", FIRST), "other accounts are entered with a role, and none is named; name the role"),
        (("--organization",), "other accounts are entered with a role"),
        (("--account", FIRST, "--organization", "--role", "gc"), "--account and --organization"),
        (("--unit", "ou-ab12-34567890"), "units and account tags choose among the accounts of an organization"),
        (("--unit", "prod"), "'prod' is not the id of a unit"),
        (("--account-tag", "prod"), "'prod' is not KEY=VALUE"),
        (("--region", "all", "--region", "eu-west-1"), "--region all: names every region already"),
        (("--external-id", "x1"), "--external-id and --session-tag go with --role"),
        (("--all-repos", "--repo", "app"), "--all-repos and --repo"),
        (("--forecast", "90d", "--region", "all"), "--forecast and several accounts or regions"),
        (("--role", "gc"), "--role: other accounts are entered with it, and none is named"),
        (("--external-id", "x", "--role", "gc"), "'x' is not an external id: 2 to 1224"),
        (("--role", "../gc"), "'../gc' is not a role's name"),
        (("--role", "/gc"), "'/gc' is not a role's name"),
        (
            ("--role", "gc", "--session-tag", "aws:x=1"),
            "--session-tag: 'aws:x': keys that begin with aws: are AWS's own",
        ),
        (("--role", "gc", "--session-tag", "a=1", "--session-tag", "A=2"), "--session-tag: 'A' is given twice"),
        (("--region", "eu-wst-1"), "'eu-wst-1' is not a region; write eu-west-1 if that is meant"),
        (("--region", "us-esat-1"), "'us-esat-1' is not a region; write us-east-1 if that is meant"),
        (("--region", "us-east1"), "'us-east1' is not a region; write one such as us-east-1"),
        (("--region", "us-east-1", "--region", "cn-north-1"), "us-east-1 and cn-north-1 are of two partitions"),
        (
            ("--region", "us-east-1", "--region", "xx-east-1"),
            "xx-east-1: no partition of AWS has regions of such names",
        ),
        (("--repo", "!"), "'!' fits no repository name"),
        (("--repo", "!!app"), "'!!app' fits no repository name"),
        (("--repo", "app", "--repo", "!app"), "no repository is left: all are taken out by !app"),
        (("--repo", "app", "--repo", "!a*", *EVERYWHERE), "no repository is left: all are taken out by !a*"),
        (("--max-rps", "0"), "'0' is not a number of calls a second"),
        (("--concurrency", "1000"), "'1000' is not a number of repositories at once"),
        (("--region", "us-east-1", "--region", "eu-west-1", "--registry-id", FIRST), "--registry-id and several"),
    ],
)
def test_what_makes_no_sense_is_one_line(fleet: Fleet, words: tuple[str, ...], complaint: str) -> None:
    finished = fleet("plan", "-f", fleet.policy, *words)
    assert (finished.exit, finished.out) == (2, "")
    assert len(finished.err.splitlines()) == 1
    assert complaint in finished.err
