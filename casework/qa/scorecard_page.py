"""Scorecards as Markdown: a table to compare, and below it what is missing in it."""

from collections.abc import Mapping, Sequence
from typing import Any


def scorecard_page(document: Mapping[str, Any]) -> str:
    """A document of scorecards as a page."""
    lines = [
        f"# Scorecards, {document['since'][:10]} to {document['until'][:10]}",
        "",
        "| vendor | decided | quality | at the common mix | golden | alpha | in time "
        "| at the common mix | escalated rightly | of those due | minutes, median (p90) |",
        "|---|---:|---|---|---|---|---|---|---|---|---:|",
        *map(_row, document["scorecards"]),
        "",
        "Shares with their limits. The common mix is everybody's: "
        + "; ".join(f"{name} {weight:.0%}" for name, weight in document["weights"].items())
        + ".",
        "",
        *_missing(document["scorecards"]),
        *(line for card in document["scorecards"] for line in _people(card)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _row(card: Mapping[str, Any]) -> str:
    handling, escalation = card["handling"], card["escalation"]
    minutes = "-"
    if handling["n"]:
        minutes = f"{handling['median_minutes']:g} ({handling['p90_minutes']:g})"
    cells = [
        card["vendor"] or "our own",
        str(card["volume"]),
        share(card["quality"]["as_is"]),
        share(card["quality"]["standardised"]),
        share(card["golden"]),
        share(card["calibration"]["alpha"], percent=False),
        share(card["sla"]["as_is"]),
        share(card["sla"]["standardised"]),
        share(escalation["precision"]),
        share(escalation["recall"]),
        minutes,
    ]
    return f"| {' | '.join(cells)} |"


def share(estimate: Mapping[str, Any], *, percent: bool = True) -> str:
    """An estimate with its limits, in words as short as a table takes."""
    if estimate["value"] is None:
        return "-"
    form = "{:.1%}" if percent else "{:.2f}"
    value, limits = form.format(estimate["value"]), ""
    if estimate["low"] is not None:
        limits = f" ({form.format(estimate['low'])} to {form.format(estimate['high'])})"
    return value + limits


def _missing(cards: Sequence[Mapping[str, Any]]) -> list[str]:
    told = []
    for card in cards:
        for name, kind in (("quality", "quality"), ("sla", "time")):
            even = card[name]["standardised"]
            if even["missing"]:
                told.append(
                    f"- {card['vendor'] or 'our own'}: nothing of theirs tells of {kind} in "
                    f"{'; '.join(even['missing'])}; the rest is {even['covered']:.0%} of the mix."
                )
    return ["Not in the comparison:", "", *told, ""] if told else []


def _people(card: Mapping[str, Any]) -> list[str]:
    if not card.get("people"):
        return []
    rows = [
        f"| {name} | {each['volume']} | {share(each['quality'])} |"
        for name, each in card["people"].items()
    ]
    title = f"## People of {card['vendor'] or 'our own'}"
    return [title, "", "| person | decided | quality |", "|---|---:|---|", *rows, ""]
