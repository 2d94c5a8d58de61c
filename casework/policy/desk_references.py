"""What a bundle says about the people at their desks: who may know what, and how much they see."""

from zoneinfo import available_timezones

from casework.policy.clock_references import is_zone
from casework.policy.document import Path
from casework.policy.draft import Draft
from casework.policy.faults import nearest
from casework.policy.schema import NeedToKnowEntry


def check_exposure(draft: Draft) -> None:
    """Note a time zone that does not exist."""
    exposure = draft.head.exposure if draft.head else None
    if exposure and exposure.zone and not is_zone(exposure.zone):
        hint = nearest(exposure.zone, available_timezones())
        document, path = draft.documents["bundle.yaml"], ("exposure", "zone")
        fault = document.fault(path, f"unknown time zone `{exposure.zone}`", hint)
        draft.faults.append(fault)


def check_need_to_know(draft: Draft) -> None:
    """Note every queue and signal that is not declared, and entries that name both or neither."""
    for index, entry in enumerate(draft.head.need_to_know if draft.head else ()):
        _names(draft, index, entry)
        if (entry.queue is None) == (entry.signal is None):
            _fault(draft, index, "", "name a queue or a signal, and one of them alone", "")
        signal = draft.signals.get(entry.signal or "")
        if signal and signal.type != "boolean":
            message = f"`{entry.signal}` is {signal.type}, and so never true"
            _fault(draft, index, "signal", message, "name a boolean signal")


def _names(draft: Draft, index: int, entry: NeedToKnowEntry) -> None:
    for key, name in (("queue", entry.queue), ("signal", entry.signal)):
        known = draft.written[f"{key}s"]
        if name is not None and name not in known:
            _fault(draft, index, key, f"unknown {key} `{name}`", nearest(name, known, key))


def _fault(draft: Draft, index: int, key: str, message: str, hint: str) -> None:
    path: Path = ("need_to_know", index, key) if key else ("need_to_know", index)
    draft.faults.append(draft.documents["bundle.yaml"].fault(path, message, hint))
