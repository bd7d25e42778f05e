"""What the texts of a CloudFormation template stand for."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.discovery.aws.templates import parsed, texts
from aws_ecr_gc.reference import references_in
from tests.discovery.worlds import REGISTRY, digest

NAMES = {
    "AWS::AccountId": "123456789012",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::Partition": "aws",
    "AWS::StackName": "prod",
    "Tag": "v1",
    "Tags": "v1,v2",
}
_HOST = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}"
_PARAMETERS = {"Tag": {"Type": "String"}, "Tags": {"Type": "CommaDelimitedList"}}
_MAPPINGS = {"Images": {"us-east-1": {"Tag": "v1", "All": ["v1", "v2"]}}, "Accounts": {"123456789012": {"Tag": "v1"}}}


def found(value: object, **more: object) -> list[str]:
    """The references in a template that holds this value somewhere."""
    template = {"Parameters": _PARAMETERS, "Mappings": _MAPPINGS, **more, "Resources": {"R": {"Properties": value}}}
    read = parsed(json.loads(json.dumps(template)))
    return sorted(str(reference) for text in texts(read, NAMES) for reference in references_in(text))


def join(*parts: object) -> dict[str, Any]:
    return {"Fn::Join": ["", list(parts)]}


_GET_ATT = {"Fn::GetAtt": ["Repository", "Arn"]}
_CDK = f"{_HOST}/cdk-hnb659fds-container-assets-${{AWS::AccountId}}-${{AWS::Region}}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"{REGISTRY}/app:v1", ["app:v1"]),
        (f"{REGISTRY}/app@{digest(1)}", [f"app@{digest(1)}"]),
        (f"{REGISTRY}/app:v1@{digest(1)}", [f"app:v1@{digest(1)}"]),
        (f"docker run {REGISTRY}/app:v1 && docker run {REGISTRY}/web:v2", ["app:v1", "web:v2"]),
        ({"Fn::Sub": f"{_CDK}:abc"}, ["cdk-hnb659fds-container-assets-123456789012-us-east-1:abc"]),
        ({"Fn::Sub": f"{_HOST}/${{AWS::StackName}}:${{Tag}}"}, ["prod:v1"]),
        ({"Fn::Sub": [f"{_HOST}/app:${{T}}", {"T": {"Ref": "Tag"}}]}, ["app:v1"]),
        ({"Fn::Sub": [f"{_HOST}/app:${{T}}-${{Tag}}", {"T": "x"}]}, ["app:x-v1"]),
        (
            join({"Ref": "AWS::AccountId"}, ".dkr.ecr.us-east-1.", {"Ref": "AWS::URLSuffix"}, "/app:", {"Ref": "Tag"}),
            ["app:v1"],
        ),
        ({"Fn::Join": [":", [{"Fn::Sub": f"{_HOST}/app"}, {"Ref": "Tag"}]]}, ["app:v1"]),
        (join(f"{REGISTRY}/app:", {"Fn::FindInMap": ["Images", {"Ref": "AWS::Region"}, "Tag"]}), ["app:v1"]),
        (join(f"{REGISTRY}/app:", {"Fn::FindInMap": ["Accounts", {"Ref": "AWS::AccountId"}, "Tag"]}), ["app:v1"]),
        (join(f"{REGISTRY}/app:", {"Fn::Select": [1, {"Ref": "Tags"}]}), ["app:v2"]),
        (
            join(f"{REGISTRY}/app:", {"Fn::Select": ["0", {"Fn::FindInMap": ["Images", "us-east-1", "All"]}]}),
            ["app:v1"],
        ),
        (join(f"{REGISTRY}/app:", {"Fn::Select": [1, {"Fn::Split": ["/", "a/b"]}]}), ["app:b"]),
        (join(f"{REGISTRY}/app:", 7), ["app:7"]),
        ({"Fn::Base64": {"Fn::Sub": f"#!/bin/sh\ndocker run {_HOST}/app:v1\n"}}, ["app:v1"]),
        ({"Fn::If": ["C", f"{REGISTRY}/app:v1", {"Fn::Sub": f"{_HOST}/app:v2"}]}, ["app:v1", "app:v2"]),
        (join("x ", {"Fn::If": ["C", f"{REGISTRY}/app:v1", f"{REGISTRY}/app:v2"]}), ["app:v1", "app:v2"]),
        ({"Image": {"Nested": [{"Deep": f"{REGISTRY}/app:v1"}]}}, ["app:v1"]),
        (json.dumps({"image": f"{REGISTRY}/app:v1"}), ["app:v1"]),
    ],
)
def test_a_reference_is_found_whatever_it_is_made_of(value: object, expected: list[str]) -> None:
    assert found(value) == [f"{REGISTRY}/{image}" for image in expected]


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Sub": f"{_HOST}/${{Repository}}:v1"},
        {"Fn::Sub": f"{_HOST}/app:${{Unknown}}"},
        {"Fn::Sub": f"{_HOST}/app:${{!Tag}}"},
        {"Fn::Sub": [f"{_HOST}/app:${{T}}", {"T": _GET_ATT}]},
        {"Fn::Sub": [f"{_HOST}/app:${{T}}", {"T": {"Ref": "Tags"}}]},
        {"Fn::Join": [":", [f"{REGISTRY}/app", _GET_ATT]]},
        {"Fn::Join": [":", [f"{REGISTRY}/app", {"Fn::ImportValue": "tag"}]]},
        join(_GET_ATT, ".dkr.ecr.us-east-1.amazonaws.com/app:v1"),
        f"{REGISTRY}/app:{{{{resolve:ssm:/tag}}}}",
        join(f"{REGISTRY}/app:", {"Fn::Select": [9, {"Ref": "Tags"}]}),
        join(f"{REGISTRY}/app:", {"Fn::Select": ["x", {"Ref": "Tags"}]}),
        join(f"{REGISTRY}/app:", {"Fn::FindInMap": ["Images", "eu-west-1", "Tag"]}),
        join(f"{REGISTRY}/app:", {"Ref": "Unknown"}),
        "registry.example.com/app:v1",
        f"arn:aws:ecr:us-east-1:123456789012:repository/{'app'}",
    ],
)
def test_half_a_reference_is_none(value: object) -> None:
    assert found(value) == []


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Join": "x"},
        {"Fn::Join": [1, 2]},
        {"Fn::Join": ["", "x"]},
        {"Fn::Join": ["", _GET_ATT]},
        {"Fn::Sub": []},
        {"Fn::Sub": ["x", "y"]},
        {"Fn::Sub": 7},
        {"Fn::Select": []},
        {"Fn::Split": ["", "x"]},
        {"Fn::Split": "x"},
        {"Fn::FindInMap": ["Images"]},
        {"Fn::FindInMap": [["x"], "y", "z"]},
        {"Ref": ["x"]},
        {"Ref": None},
        None,
        True,
        [[], {}],
    ],
)
def test_what_makes_no_sense_stands_for_nothing_and_the_rest_is_read(value: object) -> None:
    assert found([value, f"{REGISTRY}/app:v1"]) == [f"{REGISTRY}/app:v1"]
    assert found(join("x", value)) == []
    assert found([f"{REGISTRY}/app:v1"], Mappings=value, Parameters=value) == [f"{REGISTRY}/app:v1"]


_YAML = """
AWSTemplateFormatVersion: 2010-09-09
Mappings:
  Accounts:
    012345678901: {Tag: 1.10}
    123456789012:
      Tag: v7
Conditions:
  C: !Equals [!Ref Tag, v1]
Resources:
  Short:
    Image: !Sub "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/short:${Tag}"
  Joined:
    Image: !Join
      - ":"
      - - !Sub "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/joined"
        - !FindInMap [Accounts, !Ref AWS::AccountId, Tag]
  WithVariables:
    Image: !Sub
      - "${Host}/variables:${Tag}"
      - Host: !Join ["", [!Ref AWS::AccountId, .dkr.ecr.us-east-1.amazonaws.com]]
  Chosen: !If [C, !Sub "${AWS::AccountId}.dkr.ecr.us-east-1.amazonaws.com/chosen:1", !Ref AWS::NoValue]
  Number: !Join ["", ["123456789012.dkr.ecr.us-east-1.amazonaws.com/number:", 1.10]]
  Octal: !Join ["", ["123456789012.dkr.ecr.us-east-1.amazonaws.com/octal:", !FindInMap [Accounts, 012345678901, Tag]]]
  Unknown:
    Image: !Sub "${Repository.RepositoryUri}:v1"
    Arn: !GetAtt Repository.Arn
    More: !Join [":", [123456789012.dkr.ecr.us-east-1.amazonaws.com/unknown, !GetAtt [A, B]]]
    Merged: {<<: {Image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/merged:1"}}
    Date: 2020-01-01
    Flag: !Not [!Condition C]
    Data:
      Fn::Base64: !Sub |
        docker run ${AWS::AccountId}.dkr.ecr.us-east-1.amazonaws.com/data:${Tag}
"""


def test_yaml_is_read_with_its_short_forms_and_scalars_as_they_are_written() -> None:
    read = parsed(_YAML)
    images = [str(reference) for text in texts(read, NAMES) for reference in references_in(text)]
    expected = ["short:v1", "joined:v7", "variables:v1", "chosen:1", "number:1.10", "octal:1.10", "merged:1", "data:v1"]
    assert sorted(images) == sorted(f"{REGISTRY}/{image}" for image in expected)


def test_what_aliases_stand_for_is_read_once_however_often_they_stand_for_it() -> None:
    doubled = "".join(f"A{number + 1}: &a{number + 1} [*a{number}, *a{number}]\n" for number in range(60))
    read = parsed(f"A0: &a0 [!Sub '${{AWS::StackName}}']\n{doubled}")
    assert list(texts(read, NAMES)) == ["prod"]


def test_an_alias_of_what_it_stands_in_makes_no_template() -> None:
    with pytest.raises(ValueError, match="recursive"):
        parsed("Resources: &all {Again: *all}")


@pytest.mark.parametrize("body", ["", "- a list", "a text", "{", "a: [1", "a: b: c", "? [x]\n: y", 7, None])
def test_what_is_no_template_is_told_from_one_without_images(body: object) -> None:
    with pytest.raises(ValueError, match="not "):
        parsed(body)


class _Made:
    """A value that stands for a text, and the names and mappings that it goes by."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.mapped: dict[str, Any] = {}

    def piece(self, text: str, kind: str) -> object:
        name = f"N{len(self.names) + len(self.mapped)}"
        match kind:
            case "ref":
                self.names[name] = text
                return {"Ref": name}
            case "map":
                self.mapped[name] = text
                return {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, name]}
            case "sub":
                self.names[name] = text
                return {"Fn::Sub": f"${{{name}}}"}
            case "select":
                return {"Fn::Select": [1, {"Fn::Split": ["|", f"x|{text}|y"]}]}
            case "join":
                return {"Fn::Join": ["", [text[:1], join(text[1:])]]}
        return text

    def template(self, value: object) -> dict[str, Any]:
        return {"Mappings": {"M": {"us-east-1": self.mapped}}, "Resources": {"R": {"Image": value}}}


_KINDS = st.sampled_from(["literal", "ref", "map", "sub", "select", "join"])
_IMAGES = st.sampled_from(["app:v1", "team/app", f"app@{digest(7)}", f"a/b/c:1.0@{digest(8)}"])


@st.composite
def _cut(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A reference, and its pieces."""
    text = f"{REGISTRY}/{draw(_IMAGES)}"
    cuts = sorted(draw(st.sets(st.integers(1, len(text) - 1), max_size=5)))
    return text, [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def _assembled(made: _Made, pieces: list[object], *, by_sub: bool) -> dict[str, Any]:
    if not by_sub:
        return made.template({"Fn::Join": ["", pieces]})
    variables = {f"V{number}": piece for number, piece in enumerate(pieces)}
    return made.template({"Fn::Sub": ["".join(f"${{{name}}}" for name in variables), variables]})


@given(cut=_cut(), by_sub=st.booleans(), data=st.data())
def test_a_reference_in_pieces_is_put_together_from_json_and_yaml_alike(
    cut: tuple[str, list[str]], by_sub: bool, data: st.DataObject
) -> None:
    text, pieces = cut
    made = _Made()
    template = _assembled(made, [made.piece(each, data.draw(_KINDS)) for each in pieces], by_sub=by_sub)
    names = {**NAMES, **made.names}
    assert text in set(texts(template, names))
    assert text in set(texts(parsed(yaml.safe_dump(template)), names))


@given(cut=_cut(), by_sub=st.booleans(), data=st.data())
def test_a_reference_with_an_unknown_piece_is_none(
    cut: tuple[str, list[str]], by_sub: bool, data: st.DataObject
) -> None:
    _, pieces = cut
    unknown = data.draw(st.integers(0, len(pieces) - 1))
    made = _Made()
    values = [
        {"Fn::GetAtt": ["R", "Uri"]} if number == unknown else made.piece(each, data.draw(_KINDS))
        for number, each in enumerate(pieces)
    ]
    template = _assembled(made, values, by_sub=by_sub)
    read = [reference for text in texts(template, {**NAMES, **made.names}) for reference in references_in(text)]
    # A piece that stands in the template for itself may be a reference of its own.
    assert set(read) <= {reference for piece in pieces for reference in references_in(piece)}
