"""What the API is told about incidents, and tells of them."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from casework.cases import Severity
from casework.console.api.documents import Body, Document, Name, Text, example
from casework.incidents.audiences import Audience
from casework.incidents.roles import IncidentRole
from casework.incidents.states import IncidentStatus

Line = Annotated[str, Field(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$", max_length=500)]
Words = Annotated[str, Field(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$", max_length=10_000)]


class IncidentRow(Document):
    """An incident, and how many cases are under it."""

    model_config = example(
        id="n1a", title="Coordinated spam", severity="P1", category=None, status="open",
        opened_by="lin", opened_at="2026-03-02T09:30:00Z", cases=14,
    )  # fmt: skip

    id: str
    title: str
    severity: str
    category: str | None
    status: str
    opened_by: str
    opened_at: datetime
    cases: int


class IncidentOut(Document):
    """An incident: its cases with their status, who does what, and its report as it stands."""

    model_config = example(
        id="n1a", title="Coordinated spam", severity="P1", status="open",
        opened_at="2026-03-02T09:30:00Z", closed_at=None, cases={"c4f1": "waiting"},
        report="# Coordinated spam",
    )  # fmt: skip

    id: str
    title: str
    severity: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    cases: dict[str, str]
    report: str = Field(description="Markdown.")


class OpeningIn(Body):
    """What somebody says who opens an incident."""

    model_config = example(
        title="Coordinated spam", severity="P1", category=None,
        detected_at="2026-03-02T09:00:00Z", key="page-17",
    )  # fmt: skip

    title: Line
    severity: Severity
    category: Name | None = Field(None, description="A category of the policy.")
    detected_at: AwareDatetime | None = Field(None, description="Else its first case's arrival.")
    key: Name | None = Field(None, description="The same key opens it once.")


class RoleIn(Body):
    """Who takes a role, or gives it up; left out: the token's person."""

    model_config = example(role="commander", person="ana")

    role: IncidentRole
    person: Name | None = None


class NoteIn(Body):
    """A note; one that corrects another leaves that as it is."""

    model_config = example(text="The spam comes from one network.", corrects=None)

    text: Words
    corrects: int | None = Field(None, ge=1, le=1_000_000, description="The number of a note.")


class UpdateIn(Body):
    """A status update: a macro of the policy, for whom, and where it is sent."""

    model_config = example(
        macro="incident_update", audience="internal", values={"next_update": "15:00 UTC"},
        to=["log"],
    )  # fmt: skip

    macro: Name
    audience: Audience
    values: dict[Name, Text] = Field({}, description="What the macro wants beside.")
    to: list[Name] = Field([], max_length=50, description="Destinations; none: it is kept alone.")


class StatusIn(Body):
    """Where an incident stands now; closing is an operation of its own."""

    model_config = example(status="contained")

    status: IncidentStatus


class SeverityIn(Body):
    """How bad an incident is now."""

    model_config = example(severity="P0")

    severity: Severity


class UpdateOut(Document):
    """An update as it was told; it is sent from the outbox."""

    model_config = example(incident="n1a", number=2, audience="internal", text="We look into it.")

    incident: str
    number: int
    audience: str
    text: str
