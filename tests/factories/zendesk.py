"""Tickets as Zendesk's API gives them."""

from typing import Any


def ticket(number: int, **change: Any) -> dict[str, Any]:
    """A ticket in the shape of the published example."""
    return {
        "id": number,
        "created_at": "2026-01-05T09:12:00Z",
        "updated_at": "2026-01-05T09:12:10Z",
        "generated_timestamp": 1_767_600_000 + number,
        "subject": f"ticket {number}",
        "raw_subject": f"ticket {number}",
        "description": f"words of ticket {number}",
        "requester_id": 20_978_392,
        "submitter_id": 76_872,
        "assignee_id": None,
        "group_id": 98_738,
        "organization_id": None,
        "brand_id": 360_003,
        "priority": None,
        "status": "open",
        "type": "incident",
        "recipient": "safety@larkspur.example",
        "tags": ["enterprise"],
        "custom_fields": [{"id": 27_642, "value": "745"}],
        "via": {"channel": "email"},
        "url": f"https://larkspur.zendesk.example/api/v2/tickets/{number}.json",
        **change,
    }
