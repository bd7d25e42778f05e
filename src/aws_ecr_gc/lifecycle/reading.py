"""From the text of a lifecycle policy to its values, with everything at once that ECR would refuse.

Source: the ECR user guide, "Lifecycle policy parameters". Messages are ECR's own where they are known.
"""

import json
from collections.abc import Mapping, Sequence

from msgspec import Struct

from aws_ecr_gc.lifecycle.findings import Finding, LifecycleMistakes, Severity
from aws_ecr_gc.lifecycle.values import Action, CountType, LifecyclePolicy, Rule, Storage, TagStatus
from aws_ecr_gc.policyfile import json_text
from aws_ecr_gc.policyfile.mistakes import Place
from aws_ecr_gc.policyfile.nodes import Node, Path, spelled

SHORTEST, LONGEST = 100, 30720
"""Of a policy's text, in characters."""
MOST_RULES = 50
MOST_WILDCARDS = 4
FEWEST_ARCHIVED_DAYS = 90

_NO_ALTERNATIVE = "instance failed to match exactly one schema (matched 0 out of 2)"
_UNMAPPED = "Could not map policyString into LifecyclePolicy."
_LISTS = ("tagPatternList", "tagPrefixList")
_RULE = {"rulePriority": "integer", "selection": "object", "action": "object", "description": "string"}
_SELECTION = {
    "tagStatus": "string",
    "countType": "string",
    "countNumber": "integer",
    "tagPatternList": "array",
    "tagPrefixList": "array",
    "storageClass": "string",
    "countUnit": "string",
}
_ACTION = {"type": "string", "targetStorageClass": "string"}
_OPTIONAL = frozenset({"description", *_LISTS, "storageClass", "countUnit", "targetStorageClass"})


class Written(Struct, frozen=True):
    """A policy as it was read: its rules in the order of their priority, and where each stands in the text.

    `rules` holds (place in the list of the text, rule). `policy` is None where ECR would refuse it: see `errors`.
    `is_complete` says that each rule is sound by itself.
    """

    file: str
    policy: LifecyclePolicy | None
    errors: tuple[Finding, ...]
    is_complete: bool
    rules: tuple[tuple[int, Rule], ...]
    places: Mapping[str, Place]

    def finding(self, check: str, path: str, message: str, mend: str = "") -> Finding:
        """A warning at a place of the text."""
        place = self.places.get(path) or self.places[""]
        return Finding(
            Severity.WARNING, check, self.file, place.line, place.column, path, message, from_aws=False, mend=mend
        )


def read(text: str, file: str) -> Written:
    """Read a policy, whatever is wrong with it."""
    return _Reader(text, file).written()


def parse(text: str, file: str) -> LifecyclePolicy:
    """The policy that a text says. Raises LifecycleMistakes."""
    written = read(text, file)
    if written.policy is None:
        raise LifecycleMistakes(written.errors)
    return written.policy


class _Reader:
    """Walks through a text once. What is wrong in one rule hides nothing of the others."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._errors: list[Finding] = []
        self._places: dict[str, Place] = {"": Place(file, 1, 1)}
        self._rules: list[tuple[int, Rule]] = []
        self._count_of_rules = 0
        self._check_length(text)
        root, mistakes = json_text.read(text, file)
        for each in mistakes:
            message = f"{_UNMAPPED} ({each.reason})" if root is None else each.reason
            self._complain("json", each.place, each.path, message, each.mend, from_aws=root is None)
        if root is not None:
            self._policy(root)

    def written(self) -> Written:
        rules = tuple(sorted(self._rules, key=lambda each: each[1].priority))
        policy = None if self._errors else LifecyclePolicy(tuple(rule for _, rule in rules))
        errors = tuple(sorted(self._errors, key=lambda each: (each.line, each.column)))
        return Written(
            self._file, policy, errors, bool(rules) and len(rules) == self._count_of_rules, rules, self._places
        )

    def _complain(
        self, check: str, place: Place, path: str, message: str, mend: str = "", *, from_aws: bool = True
    ) -> None:
        self._errors.append(
            Finding(
                Severity.ERROR, check, self._file, place.line, place.column, path, message, from_aws=from_aws, mend=mend
            )
        )

    def _at(self, check: str, node: Node, path: Path, message: str, mend: str = "", *, from_aws: bool = True) -> None:
        self._complain(check, node.place, spelled(path), message, mend, from_aws=from_aws)

    def _check_length(self, text: str) -> None:
        place = self._places[""]
        if len(text) < SHORTEST:
            message = f"Member must have length greater than or equal to {SHORTEST}"
            self._complain("length", place, "", message, f"it has {len(text)}; describe its rules")
        if len(text) > LONGEST:
            message = f"Member must have length less than or equal to {LONGEST}"
            self._complain("length", place, "", message, f"it has {len(text)}; leave out spaces and descriptions")

    def _policy(self, root: Node) -> None:
        if root.members is None:
            self._at("json", root, (), _UNMAPPED, 'write an object: {"rules": [...]}')
            return
        self._members("policy", root, (), {"rules": "array"})
        rules = root.members.get("rules")
        if rules is None or rules.items is None:
            return
        if not 1 <= len(rules.items) <= MOST_RULES:
            message = f"a policy has between 1 and {MOST_RULES} rules"
            self._at("rules", rules, ("rules",), message, f"it has {len(rules.items)}", from_aws=False)
        self._count_of_rules = len(rules.items)
        for at, node in enumerate(rules.items):
            self._rule(node, ("rules", at), at)
        self._among_each_other(rules.items)

    def _members(self, what: str, node: Node, path: Path, kinds: Mapping[str, str]) -> dict[str, Node]:
        """The members that are of their kind; those that are not, unknown ones and missing ones are complained of."""
        sound: dict[str, Node] = {}
        if node.members is None:
            self._wrong_kind(node, path, "object")
            return sound
        self._places[spelled(path)] = node.place
        for name, member in node.members.items():
            self._places[spelled((*path, name))] = node.keys[name]
            if name not in kinds:
                message = f"object instance has properties which are not allowed by the schema: {_listed(name)}"
                mend = f"a {what} has {', '.join(kinds)}"
                self._complain("unknown-key", node.keys[name], spelled((*path, name)), message, mend)
            elif member.is_scalar and member.scalar is None:
                self._at("null", member, (*path, name), _NO_ALTERNATIVE, "leave it out instead of null")
            elif _kind(member) != kinds[name]:
                self._wrong_kind(member, (*path, name), kinds[name])
            else:
                sound[name] = member
        for name in kinds:
            if name not in node.members and name not in _OPTIONAL:
                message = f"object has missing required properties {_listed(name)}"
                self._at("missing-key", node, path, message)
        return sound

    def _wrong_kind(self, node: Node, path: Path, wanted: str) -> None:
        message = f"instance type ({_kind(node)}) does not match any allowed primitive type"
        self._at("type", node, path, f'{message} (allowed: ["{wanted}"])')

    def _one_of(self, members: Mapping[str, Node], name: str, path: Path, possible: Sequence[str]) -> str | None:
        """What a member says, where that is possible; None where it is not there, or complained of."""
        node = members.get(name)
        if node is None or node.scalar in possible:
            return None if node is None else str(node.scalar)
        shown = f"possible values: {json.dumps(list(possible))}"
        message = f"instance value ({json.dumps(node.scalar)}) not found in enum ({shown})"
        self._at("enum", node, (*path, name), message)
        return None

    def _number(
        self, members: Mapping[str, Node], name: str, path: Path, minimum: int = 1, mend: str = ""
    ) -> int | None:
        node = members.get(name)
        if node is None:
            return None
        value = int(str(node.scalar))
        if value < minimum:
            message = f"numeric instance is lower than the required minimum (minimum: {minimum}, found: {value})"
            self._at("minimum", node, (*path, name), message, mend)
            return None
        return value

    def _rule(self, node: Node, path: Path, at: int) -> None:
        members = self._members("rule", node, path, _RULE)
        before = len(self._errors)
        priority = self._number(members, "rulePriority", path)
        selection, action = members.get("selection"), members.get("action")
        where, what = (*path, "selection"), (*path, "action")
        chosen = {} if selection is None else self._members("selection", selection, where, _SELECTION)
        done = {} if action is None else self._members("action", action, what, _ACTION)
        count_type = self._count(chosen, where)
        storage = self._storage(chosen, where, count_type)
        tag_status = self._tags(chosen, where)
        carried_out = self._action(done, what, count_type)
        minimum, mend = 1, ""
        if count_type is CountType.TRANSITIONED:
            minimum, mend = FEWEST_ARCHIVED_DAYS, f"images stay in the archive for {FEWEST_ARCHIVED_DAYS} days at least"
        number = self._number(chosen, "countNumber", where, minimum, mend)
        if priority is None or count_type is None or tag_status is None or carried_out is None or number is None:
            return
        if len(self._errors) > before:
            return
        named = next((name for name in _LISTS if name in chosen), None)
        entries = () if named is None else tuple(str(each.scalar) for each in chosen[named].items or ())
        description = members.get("description")
        rule = Rule(
            priority,
            tag_status,
            count_type,
            number,
            entries,
            named == "tagPrefixList",
            carried_out,
            storage or Storage.STANDARD,
            None if description is None else str(description.scalar),
        )
        self._rules.append((at, rule))

    def _count(self, chosen: Mapping[str, Node], path: Path) -> CountType | None:
        node = chosen.get("countType")
        if node is None:
            return None
        if node.scalar not in list(CountType):
            mend = f"countType is one of {', '.join(CountType)}"
            self._at("count-type", node, (*path, "countType"), _NO_ALTERNATIVE, mend)
            return None
        count_type = CountType(str(node.scalar))
        unit = chosen.get("countUnit")
        if count_type is CountType.MORE_THAN and unit is not None:
            self._at("count-unit", unit, (*path, "countUnit"), _NO_ALTERNATIVE, f"{count_type} takes no countUnit")
        elif count_type is not CountType.MORE_THAN and unit is None:
            self._at("count-unit", node, path, _NO_ALTERNATIVE, f'{count_type} takes "countUnit": "days"')
        elif unit is not None:
            self._one_of(chosen, "countUnit", path, ("days",))
        return count_type

    def _storage(self, chosen: Mapping[str, Node], path: Path, count_type: CountType | None) -> Storage | None:
        stated = self._one_of(chosen, "storageClass", path, list(Storage))
        if count_type is None or ("storageClass" in chosen and stated is None):
            return None
        wanted = Storage.ARCHIVE if count_type is CountType.TRANSITIONED else Storage.STANDARD
        if (stated or Storage.STANDARD) != wanted:
            node = chosen.get("storageClass", chosen["countType"])
            message = f"storageClass must be {wanted} when countType={count_type}."
            where = (*path, "storageClass") if stated else path
            self._at("storage-class", node, where, message, from_aws=False)
            return None
        return wanted

    def _tags(self, chosen: Mapping[str, Node], path: Path) -> TagStatus | None:
        stated = self._one_of(chosen, "tagStatus", path, list(TagStatus))
        lists = [name for name in _LISTS if name in chosen]
        if stated is None:
            return None
        if stated != TagStatus.TAGGED:
            for name in lists:
                message = f"Must not specify {name} when tagStatus={stated.upper()}."
                self._at("tag-list", chosen[name], (*path, name), message, "leave it out", from_aws=False)
            return TagStatus(stated)
        if not any(chosen[name].items for name in lists):
            message = "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED."
            self._at("tag-list", chosen["tagStatus"], path, message)
        if len(lists) > 1:
            message = "Must not specify both tagPrefixList and tagPatternList."
            self._at("tag-list", chosen[lists[1]], (*path, lists[1]), message, "write two rules", from_aws=False)
        for name in lists:
            self._entries(chosen[name], (*path, name), are_patterns=name == "tagPatternList")
        return TagStatus.TAGGED

    def _entries(self, node: Node, path: Path, *, are_patterns: bool) -> None:
        for at, entry in enumerate(node.items or ()):
            self._places[spelled((*path, at))] = entry.place
            if _kind(entry) != "string":
                self._wrong_kind(entry, (*path, at), "string")
            elif are_patterns and str(entry.scalar).count("*") > MOST_WILDCARDS:
                message = f"a pattern has at most {MOST_WILDCARDS} wildcards, and this one has more"
                self._at("wildcards", entry, (*path, at), message, from_aws=False)

    def _action(self, done: Mapping[str, Node], path: Path, count_type: CountType | None) -> Action | None:
        stated = self._one_of(done, "type", path, list(Action))
        target = done.get("targetStorageClass")
        if stated is None:
            return None
        if stated == Action.TRANSITION and target is None:
            self._at("target", done["type"], path, _NO_ALTERNATIVE, 'transition takes "targetStorageClass": "archive"')
        elif stated == Action.EXPIRE and target is not None:
            where = (*path, "targetStorageClass")
            self._at("target", target, where, _NO_ALTERNATIVE, "expire takes no targetStorageClass")
        self._one_of(done, "targetStorageClass", path, ("archive",))
        only = {CountType.PULLED: Action.TRANSITION, CountType.TRANSITIONED: Action.EXPIRE}.get(
            count_type or CountType.PUSHED
        )
        if only is not None and stated != only:
            message = f"countType={count_type} can only be used with the {only} action."
            self._at("action", done["type"], (*path, "type"), message, from_aws=False)
        return Action(stated)

    def _among_each_other(self, nodes: Sequence[Node]) -> None:
        """The rules beside one another, as far as they are sound by themselves."""
        by_priority: dict[int, int] = {}
        for at, rule in self._rules:
            if rule.priority in by_priority:
                path = ("rules", at, "rulePriority")
                message = (
                    f"rule priorities must be unique, and rules[{by_priority[rule.priority]}] has {rule.priority} too"
                )
                self._at("priority", (nodes[at].members or {})["rulePriority"], path, message, from_aws=False)
            by_priority.setdefault(rule.priority, at)
        for storage in Storage:
            self._of_one_class([each for each in self._rules if each[1].storage is storage], nodes)

    def _of_one_class(self, rules: Sequence[tuple[int, Rule]], nodes: Sequence[Node]) -> None:
        lowest = max((rule.priority for _, rule in rules), default=0)
        untagged: list[int] = []
        lists: dict[tuple[bool, tuple[str, ...]], int] = {}
        for at, rule in rules:
            node, path = nodes[at], ("rules", at)
            if rule.tag_status is TagStatus.ANY and rule.priority < lowest:
                message = "Rule for tagStatus=ANY must have the lowest priority per storage class"
                self._at("any-last", node, path, message, f"give it a rulePriority above {lowest}")
            if rule.tag_status is TagStatus.UNTAGGED:
                untagged.append(at)
                if len(untagged) > 1:
                    message = "Only one rule can select Untagged images per storage class."
                    self._at("untagged-once", node, path, message, f"see rules[{untagged[0]}]")
            if rule.tag_status is TagStatus.TAGGED:
                key = (rule.are_prefixes, tuple(sorted(rule.entries)))
                if key in lists:
                    message = "rules of one storage class must have distinct lists of tags"
                    self._at("same-list", node, path, message, f"rules[{lists[key]}] has the same", from_aws=False)
                lists.setdefault(key, at)


def _kind(node: Node) -> str:
    """What JSON Schema calls the kind of a value."""
    if node.members is not None:
        return "object"
    if node.items is not None:
        return "array"
    if node.scalar is None:
        return "null"
    if isinstance(node.scalar, bool):
        return "boolean"
    if isinstance(node.scalar, str):
        return "string"
    return "integer" if isinstance(node.scalar, int) else "number"


def _listed(name: str) -> str:
    return f"({json.dumps([name])})"
