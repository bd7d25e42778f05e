"""What Kubernetes clusters hold, read through their API. The client library is an extra: see `client`."""

from aws_ecr_gc.discovery.kubernetes.clusters import read_cluster, read_context, read_in_cluster

__all__ = ["read_cluster", "read_context", "read_in_cluster"]
