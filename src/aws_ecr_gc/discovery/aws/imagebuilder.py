"""EC2 Image Builder: the images that the account's own container recipes begin with.

`parentImage` may also be an ARN of Image Builder's: what it stands for is in its own recipe. The texts of Dockerfiles
and of the parameters of components are searched as well; components hold no image. What a pipeline makes, and the
repository it pushes to, is a product and no use.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.descriptions import unless_gone, uses_in
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use


def read(reader: Reader) -> Iterator[Use]:
    """The images of container recipes."""
    asked = {"owner": "Self", "maxResults": 100}
    recipes = reader.rows("imagebuilder", "ListContainerRecipes", "containerRecipeSummaryList", **asked)
    for row, recipe in zip(recipes, reader.each(partial(_recipe, reader), recipes), strict=True):
        if recipe is not None:
            yield from uses_in(reader, recipe, f"container recipe {row['arn'].partition('/')[2]}")


def _recipe(reader: Reader, row: dict[str, Any]) -> dict[str, Any] | None:
    """A recipe, which never changes: a new one gets a new version."""
    get = partial(_get, reader, row["arn"])
    return unless_gone(partial(reader.remembered, (row["arn"], row.get("dateCreated")), get))


def _get(reader: Reader, arn: str) -> dict[str, Any]:
    call = reader.service("imagebuilder").call
    recipe: dict[str, Any] = call("GetContainerRecipe", "containerRecipe", containerRecipeArn=arn)["containerRecipe"]
    return recipe
