"""EC2 Image Builder: container recipes."""

from typing import Any

import pytest

from aws_ecr_gc.discovery.sources import SOURCES
from tests.aws.server import Cloud
from tests.discovery.worlds import Reading, digest, listing, naming, needed, uri, vanish

_ARN = "arn:aws:imagebuilder:us-east-1:123456789012:container-recipe"


def _recipe(name: str, parent: str, **more: Any) -> dict[str, Any]:
    told = {"arn": f"{_ARN}/{name}/1.0.0", "name": name, "parentImage": parent, "containerType": "DOCKER"}
    target = {"targetRepository": {"service": "ECR", "repositoryName": "product"}}
    return {**told, "dateCreated": "2026-01-01", "owner": "123456789012", **target, **more}


def _run(cloud: Cloud, *recipes: dict[str, Any]) -> None:
    summary = ("arn", "name", "parentImage", "containerType", "dateCreated", "owner")
    rows = [{name: each[name] for name in summary} for each in recipes]
    listing(cloud, "imagebuilder", "ListContainerRecipes", "containerRecipeSummaryList", rows)
    known = {each["arn"]: each for each in recipes}
    cloud.answer(
        "imagebuilder",
        "GetContainerRecipe",
        lambda call: {"containerRecipe": known[call.parameters["containerRecipeArn"]]},
    )


@pytest.mark.parametrize("image", ["base:1", f"base@{digest(1)}", f"base:1@{digest(1)}"])
def test_a_container_recipe_holds_the_image_that_it_begins_with(cloud: Cloud, read: Reading, image: str) -> None:
    _run(cloud, _recipe("web", uri(image)))
    assert read("imagebuilder") == {(image, "container recipe web/1.0.0", True)}
    assert needed(cloud, "imagebuilder")
    assert [call.parameters["owner"] for call in cloud.named("imagebuilder", "ListContainerRecipes")] == ["Self"]


def test_recipes_on_all_pages_are_read_and_parents_elsewhere_are_none(cloud: Cloud, read: Reading) -> None:
    _run(
        cloud,
        _recipe("first", uri("base:1")),
        _recipe("second", uri("base:2")),
        _recipe("public", "amazonlinux:latest"),
        _recipe("own", "arn:aws:imagebuilder:us-east-1:aws:image/amazon-linux-2/x.x.x"),
    )
    assert read("imagebuilder") == {
        ("base:1", "container recipe first/1.0.0", True),
        ("base:2", "container recipe second/1.0.0", True),
    }


def test_what_a_dockerfile_names_is_kept(cloud: Cloud, read: Reading) -> None:
    text = f"FROM {{{{{{ imagebuilder:parentImage }}}}}}\nCOPY --from={uri('tools:3')} /bin /bin\n"
    _run(cloud, _recipe("web", "amazonlinux:latest", dockerfileTemplateData=text))
    assert read("imagebuilder") == {("tools:3", "container recipe web/1.0.0", False)}


def test_a_recipe_is_read_once(cloud: Cloud, read: Reading) -> None:
    _run(cloud, _recipe("web", uri("base:1")))
    assert read("imagebuilder") == read("imagebuilder")
    assert len(cloud.named("imagebuilder", "GetContainerRecipe")) == 1


def test_a_recipe_that_is_deleted_meanwhile_uses_nothing(cloud: Cloud, read: Reading) -> None:
    there, gone = _recipe("there", uri("base:1")), _recipe("gone", uri("base:2"))
    _run(cloud, there, gone)
    vanish(cloud, "imagebuilder", "GetContainerRecipe", naming("containerRecipeArn", gone["arn"]))
    assert read("imagebuilder") == {("base:1", "container recipe there/1.0.0", True)}


@pytest.mark.parametrize("action", SOURCES["imagebuilder"].actions)
def test_a_missing_permission_is_named(cloud: Cloud, read: Reading, action: str) -> None:
    _run(cloud, _recipe("web", uri("base:1")))
    cloud.deny("imagebuilder", action.partition(":")[2])
    assert action in read.refused("imagebuilder")
