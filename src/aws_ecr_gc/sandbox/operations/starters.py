"""What could start tasks: EventBridge, its scheduler, Step Functions. The stand-in has none of it, and says so."""

from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.partitions import partition_of
from aws_ecr_gc.sandbox.world import Caller, Members


def list_event_buses(caller: Caller, _request: Members) -> Members:
    """The one that every account has."""
    partition = partition_of(caller.region).name
    arn = f"arn:{partition}:events:{caller.region}:{caller.account}:event-bus/default"
    return {"EventBuses": [{"Name": "default", "Arn": arn}]}


def list_rule_names_by_target(_caller: Caller, _request: Members) -> Members:
    """None."""
    return {"RuleNames": []}


def list_targets_by_rule(_caller: Caller, request: Members) -> Members:
    """There is no rule."""
    raise ServiceError("ResourceNotFoundException", f"Rule {request['Rule']} does not exist on EventBus default.")


def list_schedules(_caller: Caller, _request: Members) -> Members:
    """None."""
    return {"Schedules": []}


def get_schedule(_caller: Caller, request: Members) -> Members:
    """There is no schedule."""
    raise ServiceError("ResourceNotFoundException", f"Schedule {request['Name']} does not exist.", 404)


def list_state_machines(_caller: Caller, _request: Members) -> Members:
    """None."""
    return {"stateMachines": []}


def list_state_machine_versions(_caller: Caller, request: Members) -> Members:
    """There is no state machine."""
    raise ServiceError("ResourceNotFound", f"State Machine Does Not Exist: '{request['stateMachineArn']}'")


def describe_state_machine(_caller: Caller, request: Members) -> Members:
    """There is no state machine."""
    raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{request['stateMachineArn']}'")
