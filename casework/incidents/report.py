"""The post-incident report, as Markdown.

It has two forms. With ``words`` it quotes what people wrote: title, notes, tasks, updates. Without
them it names those by number and carries ids alone, so that it may be kept outside the store. In
neither form is anything that a ticket says.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from casework.holds import Scope
from casework.incidents.durations import spoken
from casework.incidents.story import HoldTold, Story
from casework.incidents.telling import flat, ids, tell
from casework.incidents.timeline import Moment


def report(story: Story, now: datetime, *, words: bool) -> str:
    """Write the report of an incident as it stands at ``now``."""
    sections = [
        _head(story, words),
        _section("Durations", _durations(story)),
        _section("Roles", _roles(story)),
        _section("Timeline", _timeline(story, words)),
        _section("Decisions", _decisions(story)),
        _section("What the policy missed", _missed(story)),
        _section("Holds", _holds(story, words)),
        _section("Partner tasks", _tasks(story, now, words)),
        _section("Status updates", _updates(story, words)),
        _section("Follow-ups", _follow_ups(story, now, words)),
    ]
    return "\n\n".join(sections) + "\n"


def _head(story: Story, words: bool) -> str:
    title = f"# Incident {story.id}" + (f": {flat(story.title)}" if words else "")
    commanders = [each.person for each in story.tenures if each.role == "commander"]
    led = f", led by {', '.join(dict.fromkeys(commanders))}" if commanders else ""
    kind = f" Category {story.category}." if story.category else ""
    closed = f" Closed {_time(story.closed_at)}." if story.closed_at else ""
    lines = [
        title,
        "",
        "## Summary",
        "",
        f"{story.severity}, {story.status}. {len(story.cases)} cases{led}.{kind}"
        f" Detected {_time(story.detected_at)} ({story.detected_by}),"
        f" opened {_time(story.opened_at)} by {story.opened_by}.{closed}",
        "",
        f"Cases: {ids(sorted(story.cases))}",
    ]
    return "\n".join(lines)


def _durations(story: Story) -> str:
    rows = [(f"to {each.name}", spoken(each.lasted)) for each in story.spans()]
    return _table(("from detection", "took"), rows)


def _roles(story: Story) -> str:
    rows = [
        (
            each.role.replace("_", " "),
            each.person,
            _time(each.assumed_at),
            _time(each.renounced_at) if each.renounced_at else "-",
        )
        for each in sorted(story.tenures, key=lambda each: each.assumed_at)
    ]
    return _table(("role", "person", "assumed", "renounced"), rows)


def _timeline(story: Story, words: bool) -> str:
    """A line for each thing that happened; the same thing to several cases at once is one."""
    rows = []
    for (at, actor, _), together in groupby(story.moments, key=lambda each: _writing(story, each)):
        said: defaultdict[str, list[str]] = defaultdict(list)
        for each in together:
            said[tell(story, each, words)].append(each.chain)
        for told, chains in said.items():
            about = "" if chains[0] == story.id else f": {ids(list(dict.fromkeys(chains)))}"
            rows.append((_time(at, seconds=True), actor, told + about))
    return _table(("when (UTC)", "who", "what"), rows)


def _writing(story: Story, moment: Moment) -> tuple[datetime, str, int]:
    """What moments have in common that were written together about cases."""
    return (moment.at, moment.actor, moment.entry if moment.chain == story.id else 0)


def _decisions(story: Story) -> str:
    rows = [
        (each.actor_kind, each.actor, each.verdict, each.action or "-", str(each.number))
        for each in story.decisions
    ]
    return _table(("by", "who", "verdict", "action", "decisions"), rows)


def _missed(story: Story) -> str:
    rows = [
        (each.rule_id or "none", str(each.miss), str(len(each.cases)), ids(each.cases))
        for each in story.missed
    ]
    return _table(("rule", "how", "number", "cases"), rows)


def _holds(story: Story, words: bool) -> str:
    rows = [
        (
            each.id,
            _over(each, words),
            flat(each.reason) if words else "-",
            f"{_time(each.placed_at)} by {each.placed_by}",
            _time(each.lifted_at) if each.lifted_at else "active",
            str(each.held),
        )
        for each in story.holds
    ]
    return _table(("hold", "over", "why", "placed", "lifted", "cases held"), rows)


def _over(hold: HoldTold, words: bool) -> str:
    # What a source calls a subject may be an address.
    if hold.scope == Scope.SUBJECT and not words:
        return hold.scope
    return f"{hold.scope} {flat(hold.value)}".strip()


def _tasks(story: Story, now: datetime, words: bool) -> str:
    rows = [
        (
            str(each.number),
            each.partner,
            flat(each.what) if words else "-",
            _time(each.due),
            str(each.status(now)),
            spoken(late) if (late := each.late(now)) > timedelta(0) else "-",
        )
        for each in story.tasks
    ]
    return _table(("task", "owed by", "what", "due", "status", "late"), rows)


def _updates(story: Story, words: bool) -> str:
    rows = [
        (
            str(each.number),
            each.audience,
            each.macro,
            f"{_time(each.at)} by {each.told_by}",
            flat(each.text) if words else each.digest[:12],
        )
        for each in story.updates
    ]
    return _table(("update", "audience", "macro", "told", "text" if words else "digest"), rows)


def _follow_ups(story: Story, now: datetime, words: bool) -> str:
    rows = [
        (
            str(each.number),
            flat(each.what) if words else "-",
            each.owner,
            f"{each.due:%Y-%m-%d}",
            "done" if each.done_at else "overdue" if now > each.due else "open",
        )
        for each in story.follow_ups
    ]
    return _table(("follow-up", "what", "owner", "due", "status"), rows)


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    listed = list(rows)
    if not listed:
        return "None."
    lines = [heads, ["---"] * len(heads), *listed]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _time(moment: datetime | None, *, seconds: bool = False) -> str:
    if moment is None:
        return "-"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if seconds else f"{moment:%Y-%m-%d %H:%M}"
