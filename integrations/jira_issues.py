"""What an issue and a comment in Jira say, and the labels by which they are found again."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from casework.effects import MARK, Delivery

#: What the label of an effect begins with; that of a case begins with our mark.
EFFECT_LABEL: Final = "casework-effect:"


def effect_label(key: str) -> str:
    """The label of an effect: of its key's digest, for a label may hold no blanks."""
    return f"{EFFECT_LABEL}{sha256(key.encode()).hexdigest()[:16]}"


def issue_body(delivery: Delivery, project: str, issue_type: str) -> dict[str, Any]:
    """The issue that an effect asks for: ids in its summary, the macro's text below."""
    effect = delivery.effect
    subject = effect.case_id or effect.data.get("incident") or effect.key
    about = " ".join(str(effect.data[n]) for n in ("severity", "queue") if effect.data.get(n))
    labels = [effect_label(effect.key)]
    if effect.case_id:
        labels.insert(0, f"{MARK}{effect.case_id}")
    fields = {
        "project": {"key": project},
        "issuetype": {"name": issue_type},
        "summary": f"Casework {subject} {about}".strip()[:255],
        "description": document_of([delivery.text, delivery.link]),
        "labels": labels,
    }
    return {"fields": fields}


def document_of(paragraphs: list[str]) -> dict[str, Any]:
    """Texts as a document in Atlassian's format, a paragraph for each line."""
    lines = [line for text in paragraphs for line in text.splitlines() if line.strip()]
    content = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines]
    return {"version": 1, "type": "doc", "content": content}


def texts_of(node: Any) -> set[str]:
    """Every text of a document in Atlassian's format."""
    return set(_texts(node))


def _texts(node: Any) -> Iterator[str]:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if isinstance(text := each.get("text"), str):
                yield text.strip()
            waiting.extend(each.get("content") or ())
