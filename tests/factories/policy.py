"""A small policy bundle for tests that need one but are not about it."""

from casework.policy.bundle import bundle_from_files
from casework.policy.model import Bundle

FILES = {
    "bundle.yaml": """\
name: small
version: "1"
providers: {patterns: in_use, source: in_use}
default: {queue: general, severity: P3, action: no_action, reason: No rule decides this case.}
""",
    "signals.yaml": """\
spam: {type: boolean, provider: patterns, description: Looks like spam.}
threat: {type: boolean, provider: source, description: Labelled as a threat.}
""",
    "categories.yaml": """\
conduct: {title: Conduct, description: How people treat each other., clauses: {C1: Be civil.}}
""",
    "rules.yaml": """\
- {id: threat, when: threat, route: escalate, severity: P0, queue: legal, action: ban,
   reason: A threat.}
- {id: spam, when: spam, route: close, severity: P4, action: no_action, reason: Spam.}
""",
    "queues.yaml": """\
general:
  title: General
  roles: [analyst, senior, lead]
  actions: [no_action, suspend]
  escalates_to: [legal]
legal:
  title: Legal
  roles: [partner]
  approvals: 2
  actions: [no_action, ban]
  escalates_to: [general]
  partner: Legal
mixed:
  title: Mixed
  roles: [analyst, senior]
  actions: [no_action, ban]
""",
    "actions.yaml": """\
no_action: {title: Do nothing, approvals: 1, reversible: false}
suspend: {title: Suspend, approvals: 1, reversible: true, inverse: unsuspend}
unsuspend: {title: Lift a suspension, approvals: 1, reversible: true, inverse: suspend}
ban: {title: Ban, approvals: 2, reversible: false}
""",
    "patterns.yaml": """\
spam: {any_of: ['(?i)casino']}
""",
}

#: Clocks for it, and a ladder with a step of every kind.
CLOCKS = {
    "calendars.yaml": """\
office:
  zone: Europe/London
  hours: {mon-fri: 09:00-17:00}
  holidays: {2026-03-02: Founders' Day}
""",
    "clocks.yaml": """\
default:
  P0: {first_touch: 15m, decision: 1h, partner_answer: 1h}
  P1: {first_touch: 30m, decision: 2h}
  P2: {first_touch: 1h, decision: 4h}
  P3: {first_touch: 2h, decision: 6h}
  P4: {first_touch: 2h, decision: 8h}
general:
  P0: {first_touch: 15m, decision: 1h, ladder: urgent}
  P1: {first_touch: 1h, decision: 4h, calendar: office}
""",
    "ladders.yaml": """\
urgent:
  steps:
    - {id: page, at: 0%, do: page, to: on_call}
    - {id: untouched, clock: first_touch, at: 100%, do: remind, to: chat}
    - {id: half, at: 50%, do: remind, to: chat}
    - {id: overdue, at: 100%, do: reassign, to: mixed}
    - {id: worse, after: 30m, do: raise, to: P0}
    - {id: locked, after: 1h, do: lock}
""",
    "destinations.yaml": """\
on_call: {type: log, takes: [page, acknowledge, resolve]}
chat: {type: log, takes: [notify, acknowledge, resolve]}
""",
}


def small_bundle() -> Bundle:
    """The small bundle: queue general takes one person, legal two, mixed one or two."""
    return bundle_from_files(FILES)
