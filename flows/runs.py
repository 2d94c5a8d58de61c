"""How runs show in Prefect's lists: a name that says what and when, and a last word of what came
of them. Both hold ids and counts alone."""

from collections.abc import Mapping
from typing import TypeVar, cast

from prefect.runtime import flow_run
from prefect.states import Completed

T = TypeVar("T")

#: The parameters that say what a run is about, where one is given.
_ABOUT = ("intake_id", "incident_id", "plan", "source")

#: The last word of a run that found nothing to do.
NOTHING = "nothing to do"


def run_name() -> str:
    """The flow, what it is about, and the minute (UTC) for which it was due."""
    parameters = flow_run.parameters
    about = [str(parameters[name]) for name in _ABOUT if parameters.get(name)]
    due = flow_run.scheduled_start_time.strftime("%Y-%m-%dT%H:%MZ")
    return "-".join([str(flow_run.flow_name), *about, due])


def ended(result: T, message: str = "") -> T:
    """End a run with a message that its state keeps; to be returned by its flow.

    It is a state in fact: Prefect hands the result alone to whoever called the flow.
    """
    return cast(T, Completed(message=message or NOTHING, data=result))


def counted(counts: Mapping[str, int]) -> str:
    """Counts in words, without those that are 0; empty where all are."""
    return ", ".join(
        f"{number} {name.replace('_', ' ')}" for name, number in counts.items() if number
    )
