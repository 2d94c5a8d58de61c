"""The API and its own description: nothing generated is answered otherwise than described."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from sqlalchemy import Engine

from casework.cases import Severity
from casework.console.api.documents import Body, Document
from casework.console.api.problems import ANY
from casework.store.engine import transaction
from casework.store.incidents.lifecycle import Opening, open_incident
from tests.casework.console.api.conftest import ROLES
from tests.casework.console.asking import case_of
from tests.factories.escalation import person
from tests.factories.gates import NOW
from tests.factories.tokens import bearer_of

#: A few examples of each operation, the same in every run; what fails is not made smaller.
FEW = settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def described(app: Any) -> Any:
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


def test_generated_requests_of_every_role_are_answered_as_described(
    app: Any, engine: Engine, gate: str
) -> None:
    with transaction(engine) as session:
        opening = Opening("k", "Spam", Severity.P1)
        incident = open_incident(session, opening, person("one_lead"), NOW).id
    tokens = [bearer_of(engine, who) for who in ROLES]
    known = {"gate": gate, "case": case_of(engine, gate), "incident": incident}

    def there(case: Any) -> Any:
        """The same request of a gate and a case that there are."""
        named = {name: known[name] for name in case.path_parameters if name in known}
        case.path_parameters.update(named)
        return case

    def check(operation: Any) -> None:
        right = operation.as_strategy()
        wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

        @FEW
        @given(case=st.one_of(right, right.map(there), wrong), header=st.sampled_from(tokens))
        def asked(case: Any, header: dict[str, str]) -> None:
            case.call_and_validate(headers=header)

        asked()

    operations = [found.ok() for found in described(app).get_all_operations()]
    assert len(operations) > 25
    for operation in operations:
        check(operation)


def test_every_operation_declares_its_errors_as_problems(app: Any) -> None:
    paths = described(app).raw_schema["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            answers = {int(s): a for s, a in operation["responses"].items() if s != "200"}
            assert {error.status for error in ANY} <= set(answers), f"{method} {path}"
            assert (409 in answers) == (method == "post"), f"{method} {path}"
            for answer in answers.values():
                assert list(answer["content"]) == ["application/problem+json"]


def _below(kind: type[Any]) -> list[Any]:
    return [each for child in kind.__subclasses__() for each in (child, *_below(child))]


@pytest.mark.parametrize("document", _below(Document) + _below(Body), ids=lambda d: d.__name__)
def test_every_document_has_an_example_that_holds(document: Any) -> None:
    [shown] = document.model_json_schema()["examples"]
    read = document.model_validate_json(json.dumps(shown), strict=True)
    assert read.model_dump(mode="json", include=shown.keys()) == shown
