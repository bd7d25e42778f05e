"""The operations of ECR's API that the stand-in carries out, one function each.

Each takes the caller and a request that met the service model's constraints; it returns the answer, or raises
ServiceError.
"""

from collections.abc import Callable

from aws_ecr_gc.sandbox.operations import (
    caches,
    deletion,
    layers,
    listings,
    policies,
    pull_times,
    pulls,
    pushes,
    registries,
    repositories,
    storage,
)
from aws_ecr_gc.sandbox.world import Caller, Members

Operation = Callable[[Caller, Members], Members]

OPERATIONS: dict[str, Operation] = {
    "BatchCheckLayerAvailability": layers.batch_check_layer_availability,
    "BatchDeleteImage": deletion.batch_delete_image,
    "BatchGetImage": pulls.batch_get_image,
    "CompleteLayerUpload": layers.complete_layer_upload,
    "CreatePullThroughCacheRule": caches.create_pull_through_cache_rule,
    "CreateRepository": repositories.create_repository,
    "CreateRepositoryCreationTemplate": caches.create_repository_creation_template,
    "DeleteLifecyclePolicy": policies.delete_lifecycle_policy,
    "DeleteRepository": repositories.delete_repository,
    "DeregisterPullTimeUpdateExclusion": pull_times.deregister_pull_time_update_exclusion,
    "DescribeImages": listings.describe_images,
    "DescribePullThroughCacheRules": caches.describe_pull_through_cache_rules,
    "DescribeRegistry": registries.describe_registry,
    "DescribeRepositories": repositories.describe_repositories,
    "DescribeRepositoryCreationTemplates": caches.describe_repository_creation_templates,
    "GetAuthorizationToken": registries.get_authorization_token,
    "GetDownloadUrlForLayer": layers.get_download_url_for_layer,
    "GetLifecyclePolicy": policies.get_lifecycle_policy,
    "GetLifecyclePolicyPreview": policies.get_lifecycle_policy_preview,
    "InitiateLayerUpload": layers.initiate_layer_upload,
    "ListImageReferrers": listings.list_image_referrers,
    "ListImages": listings.list_images,
    "ListPullTimeUpdateExclusions": pull_times.list_pull_time_update_exclusions,
    "ListTagsForResource": repositories.list_tags_for_resource,
    "PutImage": pushes.put_image,
    "PutLifecyclePolicy": policies.put_lifecycle_policy,
    "PutReplicationConfiguration": registries.put_replication_configuration,
    "RegisterPullTimeUpdateExclusion": pull_times.register_pull_time_update_exclusion,
    "StartLifecyclePolicyPreview": policies.start_lifecycle_policy_preview,
    "TagResource": repositories.tag_resource,
    "UntagResource": repositories.untag_resource,
    "UpdateImageStorageClass": storage.update_image_storage_class,
    "UploadLayerPart": layers.upload_layer_part,
}
