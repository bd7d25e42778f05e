"""What one would write in a quarter of an hour: the same dry run with boto3. Run as a script: plain_boto3.py URL.

It lists the same images as `aws-ecr-gc --keep build=8 --keep release=4 --delete-untagged --dry-run` here, where there
are no indexes, referrers or archived images, and nothing is younger than the grace.
"""

import sys

import boto3

KEEP = {"build": 8, "release": 4}


def main(url: str) -> None:
    client = boto3.client("ecr", region_name="us-east-1", endpoint_url=url)
    pages = client.get_paginator("describe_images").paginate(
        repositoryName="bench", PaginationConfig={"PageSize": 1000}
    )
    images = [image for page in pages for image in page["imageDetails"]]
    images.sort(key=lambda image: image["imagePushedAt"], reverse=True)
    counts = dict.fromkeys(KEEP, 0)
    print(f"Total images: {len(images)}")
    for image in images:
        tags = image.get("imageTags", [])
        matches = [{prefix for prefix in KEEP if tag.startswith(prefix)} for tag in tags]
        retained = not all(matches)
        for prefix in set().union(*matches):
            counts[prefix] += 1
            retained = retained or counts[prefix] <= KEEP[prefix]
        if not retained:
            pushed_at = image["imagePushedAt"].strftime("%Y-%m-%d %H:%M:%S")
            print(f"  {pushed_at}: {image['imageDigest'][:16]}... [{', '.join(tags)}]")


if __name__ == "__main__":
    main(sys.argv[1])
