"""The table of AWS's sources: the module of each, the services that it calls, and the IAM actions that it needs."""

from typing import NamedTuple


class Source(NamedTuple):
    """A source. Its module has `read(reader)`, a generator of uses, and is imported where it is asked for. A source of
    several parts that fail for themselves may give `usage.Unread` in place of one.

    `services` are botocore's names; the first is the one that must be there for the source to be.
    """

    module: str
    services: tuple[str, ...]
    actions: tuple[str, ...]


SOURCES: dict[str, Source] = {
    "ecs": Source(
        "aws_ecr_gc.discovery.aws.ecs",
        ("ecs", "events", "scheduler", "stepfunctions"),
        (
            "ecs:DescribeDaemon",
            "ecs:DescribeDaemonDeployments",
            "ecs:DescribeDaemonRevisions",
            "ecs:DescribeDaemonTaskDefinition",
            "ecs:DescribeServiceDeployments",
            "ecs:DescribeServiceRevisions",
            "ecs:DescribeServices",
            "ecs:DescribeTaskDefinition",
            "ecs:DescribeTasks",
            "ecs:ListClusters",
            "ecs:ListDaemons",
            "ecs:ListServices",
            "ecs:ListTaskDefinitions",
            "ecs:ListTasks",
            "events:ListEventBuses",
            "events:ListRuleNamesByTarget",
            "events:ListTargetsByRule",
            "scheduler:GetSchedule",
            "scheduler:ListSchedules",
            "states:DescribeStateMachine",
            "states:ListStateMachineVersions",
            "states:ListStateMachines",
        ),
    ),
    "lambda": Source("aws_ecr_gc.discovery.aws.functions", ("lambda",), ("lambda:GetFunction", "lambda:ListFunctions")),
    "apprunner": Source(
        "aws_ecr_gc.discovery.aws.apprunner",
        ("apprunner",),
        ("apprunner:DescribeService", "apprunner:ListServices"),
    ),
    "batch": Source(
        "aws_ecr_gc.discovery.aws.batch",
        ("batch",),
        (
            "batch:DescribeJobDefinitions",
            "batch:DescribeJobQueues",
            "batch:DescribeJobs",
            "batch:DescribeServiceJob",
            "batch:ListJobs",
            "batch:ListServiceJobs",
        ),
    ),
    "sagemaker": Source(
        "aws_ecr_gc.discovery.aws.sagemaker",
        ("sagemaker",),
        (
            "sagemaker:DescribeAlgorithm",
            "sagemaker:DescribeDataQualityJobDefinition",
            "sagemaker:DescribeEndpoint",
            "sagemaker:DescribeHyperParameterTuningJob",
            "sagemaker:DescribeImageVersion",
            "sagemaker:DescribeInferenceComponent",
            "sagemaker:DescribeModel",
            "sagemaker:DescribeModelBiasJobDefinition",
            "sagemaker:DescribeModelExplainabilityJobDefinition",
            "sagemaker:DescribeModelPackage",
            "sagemaker:DescribeModelQualityJobDefinition",
            "sagemaker:DescribeMonitoringSchedule",
            "sagemaker:DescribeOptimizationJob",
            "sagemaker:DescribePipeline",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:DescribeTrainingJob",
            "sagemaker:ListAlgorithms",
            "sagemaker:ListDataQualityJobDefinitions",
            "sagemaker:ListEndpoints",
            "sagemaker:ListHyperParameterTuningJobs",
            "sagemaker:ListImageVersions",
            "sagemaker:ListImages",
            "sagemaker:ListInferenceComponents",
            "sagemaker:ListModelBiasJobDefinitions",
            "sagemaker:ListModelExplainabilityJobDefinitions",
            "sagemaker:ListModelPackageGroups",
            "sagemaker:ListModelPackages",
            "sagemaker:ListModelQualityJobDefinitions",
            "sagemaker:ListModels",
            "sagemaker:ListMonitoringSchedules",
            "sagemaker:ListOptimizationJobs",
            "sagemaker:ListPipelineVersions",
            "sagemaker:ListPipelines",
            "sagemaker:ListProcessingJobs",
            "sagemaker:ListTrainingJobs",
        ),
    ),
    "codebuild": Source(
        "aws_ecr_gc.discovery.aws.codebuild", ("codebuild",), ("codebuild:BatchGetProjects", "codebuild:ListProjects")
    ),
    "agentcore": Source(
        "aws_ecr_gc.discovery.aws.agentcore",
        ("bedrock-agentcore-control",),
        (
            "bedrock-agentcore:GetAgentRuntime",
            "bedrock-agentcore:GetHarness",
            "bedrock-agentcore:ListAgentRuntimeEndpoints",
            "bedrock-agentcore:ListAgentRuntimeVersions",
            "bedrock-agentcore:ListAgentRuntimes",
            "bedrock-agentcore:ListHarnessEndpoints",
            "bedrock-agentcore:ListHarnessVersions",
            "bedrock-agentcore:ListHarnesses",
        ),
    ),
    "emr-serverless": Source(
        "aws_ecr_gc.discovery.aws.emr_serverless",
        ("emr-serverless",),
        (
            "emr-serverless:GetApplication",
            "emr-serverless:GetJobRun",
            "emr-serverless:ListApplications",
            "emr-serverless:ListJobRuns",
        ),
    ),
    "imagebuilder": Source(
        "aws_ecr_gc.discovery.aws.imagebuilder",
        ("imagebuilder",),
        (
            "imagebuilder:GetContainerRecipe",
            "imagebuilder:ListContainerRecipes",
        ),
    ),
    "cloudformation": Source(
        "aws_ecr_gc.discovery.aws.cloudformation",
        ("cloudformation",),
        (
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplate",
            "cloudformation:ListStacks",
        ),
    ),
    "eks": Source("aws_ecr_gc.discovery.aws.eks", ("eks", "sts"), ("eks:DescribeCluster", "eks:ListClusters")),
    "inspector": Source(
        "aws_ecr_gc.discovery.aws.inspector",
        ("inspector2",),
        (
            "inspector2:BatchGetAccountStatus",
            "inspector2:ListCoverage",
        ),
    ),
}
"""The names are those of a policy file and of `--protect-in-use`."""
