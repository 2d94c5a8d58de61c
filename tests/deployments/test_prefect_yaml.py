"""prefect.yaml, which Prefect reads without a word about the keys it does not know."""

import copy
import importlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from inspect import signature
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.cli.deploy._models import (
    ConcurrencyLimitSpec,
    DeploymentConfig,
    PrefectYamlModel,
    RawScheduleConfig,
    WorkPoolConfig,
)
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.events import DeploymentEventTrigger
from prefect.flows import load_flow_from_entrypoint
from pydantic import BaseModel

from casework.resources import resource
from deployments.deploy import POOLS
from tests.source import ROOT

DOCUMENT: dict[str, Any] = yaml.safe_load(resource("prefect.yaml").read_text())
DEPLOYMENTS: list[dict[str, Any]] = DOCUMENT["deployments"]
NAMES = [entry["name"] for entry in DEPLOYMENTS]

each_deployment = pytest.mark.parametrize("entry", DEPLOYMENTS, ids=NAMES)


def unknown_keys(document: dict[str, Any]) -> list[str]:
    """Every key that Prefect would ignore, with the place where it stands."""
    found = [*_unknown(PrefectYamlModel, document, "", more={"definitions"})]
    for number, entry in enumerate(document["deployments"]):
        at = f"deployments.{number}."
        found += _unknown(DeploymentConfig, entry, at)
        for schedule in entry.get("schedules", []):
            found += _unknown(RawScheduleConfig, schedule, f"{at}schedules.")
        for trigger in entry.get("triggers", []):
            found += _unknown(DeploymentEventTrigger, trigger, f"{at}triggers.")
        if isinstance(limit := entry.get("concurrency_limit"), dict):
            found += _unknown(ConcurrencyLimitSpec, limit, f"{at}concurrency_limit.")
        pool = entry["work_pool"]
        found += _unknown(WorkPoolConfig, pool, f"{at}work_pool.")
        found += [
            f"{at}work_pool.job_variables.{name}"
            for name in pool.get("job_variables", {}).keys() - _variables_of(pool["name"])
        ]
    return found


def _unknown(
    model: type[BaseModel], data: dict[str, Any], at: str, more: set[str] | None = None
) -> Iterator[str]:
    known = {field.alias or name for name, field in model.model_fields.items()}
    yield from (f"{at}{key}" for key in data.keys() - known - (more or set()))


def _variables_of(pool: str) -> set[str]:
    template = POOLS[pool].get_default_base_job_template()
    return set(template["variables"]["properties"])


def declared_flows() -> dict[str, Flow[..., Any]]:
    """Dotted name -> flow, for every flow that a module under flows/ defines."""
    found = {}
    for path in sorted((ROOT / "flows").glob("[!_]*.py")):
        module = importlib.import_module(f"flows.{path.stem}")
        for name, value in vars(module).items():
            if isinstance(value, Flow) and value.fn.__module__ == module.__name__:
                found[f"{module.__name__}.{name}"] = value
    return found


def test_prefect_knows_every_key() -> None:
    assert unknown_keys(DOCUMENT) == []


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (lambda document: document, "deployment"),
        (lambda document: document["deployments"][0], "entry_point"),
        (lambda document: document["deployments"][1]["schedules"][0], "every"),
        (lambda document: document["deployments"][1]["concurrency_limit"], "strategy"),
        (lambda document: document["deployments"][0]["work_pool"], "pool"),
        (lambda document: document["deployments"][0]["work_pool"]["job_variables"], "cmd"),
    ],
)
def test_a_misspelt_key_is_found_at_every_level(
    place: Callable[[dict[str, Any]], dict[str, Any]], key: str
) -> None:
    document = copy.deepcopy(DOCUMENT)
    place(document)[key] = "anything"
    assert {found.split(".")[-1] for found in unknown_keys(document)} == {key}


def test_every_value_is_of_the_type_that_prefect_reads() -> None:
    read = PrefectYamlModel.model_validate(DOCUMENT)
    assert [entry.name for entry in read.deployments] == [entry["name"] for entry in DEPLOYMENTS]
    for entry in DEPLOYMENTS:
        for schedule in entry.get("schedules", []):
            config = RawScheduleConfig.model_validate(schedule, strict=False)
            assert config.interval == timedelta(seconds=schedule["interval"])


def test_nothing_is_pulled_built_or_pushed() -> None:
    assert DOCUMENT["pull"] == []
    for section in (DOCUMENT, *DEPLOYMENTS):
        assert not section.get("pull")
        assert not section.get("build")
        assert not section.get("push")


def test_every_flow_is_declared_once() -> None:
    assert sorted(entry["entrypoint"] for entry in DEPLOYMENTS) == sorted(declared_flows())
    assert len(set(NAMES)) == len(NAMES)


@each_deployment
def test_an_entrypoint_loads_to_the_flow_itself(entry: dict[str, Any]) -> None:
    flow = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
    assert flow is declared_flows()[entry["entrypoint"]]


@each_deployment
def test_declared_parameters_are_those_of_the_flow(entry: dict[str, Any]) -> None:
    flow = declared_flows()[entry["entrypoint"]]
    taken = signature(flow.fn).parameters
    assert entry["parameters"].keys() <= taken.keys()
    required = {name for name, each in taken.items() if each.default is each.empty}
    given = entry["parameters"] | dict.fromkeys(required - entry["parameters"].keys(), "x")
    flow.validate_parameters(given)
    if entry.get("schedules"):
        assert required <= entry["parameters"].keys(), "nobody fills in what a schedule runs with"


@each_deployment
def test_a_deployment_says_what_it_is(entry: dict[str, Any]) -> None:
    assert entry["description"].endswith(".")
    assert "casework" in entry["tags"]
    assert entry["work_pool"]["name"] in POOLS
    assert isinstance(entry["parameters"], dict)


def test_a_trigger_watches_deployments_that_there_are() -> None:
    triggers = [trigger for entry in DEPLOYMENTS for trigger in entry.get("triggers", [])]
    watched = {name for each in triggers for name in each["match_related"]["prefect.resource.name"]}
    assert watched
    assert watched <= set(NAMES)


@each_deployment
def test_what_is_scheduled_never_runs_beside_itself(entry: dict[str, Any]) -> None:
    limit = entry.get("concurrency_limit")
    if entry.get("schedules"):
        assert limit == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
        assert all(schedule["slug"] for schedule in entry["schedules"])
    if limit:
        assert limit["collision_strategy"] in [str(each.value) for each in ConcurrencyLimitStrategy]
