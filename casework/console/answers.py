"""The fields of an answer, as the forms of a gate and of a re-review send them."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Form


def _given(
    verdict: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "",
    escalate_to: Annotated[str, Form()] = "",
    clause: Annotated[str, Form()] = "",
    rationale: Annotated[str, Form()] = "",
    evidence: Annotated[str, Form()] = "",
    error: Annotated[str, Form()] = "",
) -> dict[str, str]:
    """What was filled in; a field that does not belong to the verdict counts for nothing."""
    return {
        "verdict": verdict,
        "action": action if verdict == "approve" else "",
        "escalate_to": escalate_to if verdict == "escalate" else "",
        "clause": clause,
        "rationale": rationale,
        "evidence": evidence,
        "error": error,
    }


GivenAnswer: TypeAlias = Annotated[dict[str, str], Depends(_given)]
