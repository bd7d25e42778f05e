"""ECS: tasks, services, daemons, and the task definitions that they, schedules and state machines name.

With C clusters, S services, T tasks and B event buses, and a listing counted as a call for every 100 rows begun (1,000
of state machines and their versions), a reading makes these calls:

    1 ListClusters; for each cluster 1 ListServices, 2 ListTasks, 1 ListDaemons
    S/10 DescribeServices and T/100 DescribeTasks, rounded up in each cluster
    S/20 DescribeServiceDeployments, and DescribeServiceRevisions for 20 revisions at a time
    1 DescribeDaemon for each daemon; for each 20 of them 1 DescribeDaemonDeployments; DescribeDaemonRevisions likewise
    1 ListEventBuses, B*C ListRuleNamesByTarget, 1 ListTargetsByRule for each rule that targets a cluster
    1 ListSchedules, 1 GetSchedule for each that can start something of an image
    1 ListStateMachines; for each state machine 1 DescribeStateMachine, 1 ListStateMachineVersions
    1 ListTaskDefinitions

and, once for each thing however often is read, DescribeTaskDefinition for what is named and for the newest revisions of
each family, DescribeDaemonTaskDefinition, and DescribeStateMachine for versions.
"""

from collections.abc import Iterator
from itertools import chain

from aws_ecr_gc.discovery.aws.ecs.daemons import daemons
from aws_ecr_gc.discovery.aws.ecs.rules import rules
from aws_ecr_gc.discovery.aws.ecs.schedules import schedules
from aws_ecr_gc.discovery.aws.ecs.services import services
from aws_ecr_gc.discovery.aws.ecs.state_machines import state_machines
from aws_ecr_gc.discovery.aws.ecs.task_definitions import Naming, task_definitions
from aws_ecr_gc.discovery.aws.ecs.tasks import tasks
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use


def read(reader: Reader) -> Iterator[Use]:
    """What ECS runs, ran a moment ago, is told to run at some time, or would go back to."""
    clusters = reader.rows("ecs", "ListClusters", "clusterArns", maxResults=100)
    named: list[Naming] = []
    for found in chain(
        tasks(reader, clusters),
        services(reader, clusters),
        daemons(reader, clusters),
        rules(reader, clusters),
        schedules(reader),
        state_machines(reader),
    ):
        if isinstance(found, Use):
            yield found
        else:
            named.append(found)
    # Last, so that a name without a revision is not taken for an older one than whoever wrote it could mean.
    yield from task_definitions(reader, named)
