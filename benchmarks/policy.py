"""Policy: 50 rules over 1,000,000 cases, beside zen-engine one case at a time.

Both get the same rules and the same cases. Casework decides the whole batch; zen-engine is timed
on the first ``SAMPLE`` cases and its rate is given as such. The answers on the sample are compared:
the run fails if one differs.
"""

import json
import sys
from time import perf_counter
from typing import Any, Final

import polars as pl
import zen

from casework.cases import Route, Severity
from casework.policy.evaluate import evaluate
from casework.policy.model import Bundle, Default, Queue, Rule, Signal

CASES: Final = 1_000_000
SAMPLE: Final = 5_000
RULES: Final = 50
ROUNDS: Final = 3


def run(cases: int = CASES, sample: int = SAMPLE) -> list[dict[str, Any]]:
    """Measure both engines; rows of figure, value, unit, limit and peer."""
    bundle, columns = made_bundle(), made_cases(cases)
    ours, outcome = _best(bundle, columns)
    small = columns.head(sample)
    peer, answers = _zen(bundle, small)
    found = outcome["rule_id"].head(sample).to_list()
    if found != answers:
        raise SystemExit("zen-engine and Casework disagree on the sample")
    return [
        _row("policy: cases decided per second", round(cases / ours), "cases/s", ">= 1,000,000"),
        _row("policy: seconds for the whole batch", round(ours, 3), "s", "< 1"),
        _row("policy: zen-engine, one case at a time", round(peer), "cases/s", "", "zen-engine"),
        _row(
            "policy: ratio to zen-engine", round(cases / ours / peer), "x", ">= 300", "zen-engine"
        ),
        _row("policy: answers compared and equal", sample, "cases", ""),
    ]


def conditions() -> list[tuple[str, str]]:
    """Fifty conditions, in SQL and in zen's expression language."""
    made = []
    for i in range(RULES):
        score, flag, count = f"n{i % 20}", f"b{i % 15}", f"i{i % 5}"
        bar, few = 0.95 + (i % 5) / 100, 3 + i % 7
        if i % 3 == 0:
            made.append((f"{score} > {bar} AND ({flag} OR {count} < {few})",) * 2)
        elif i % 3 == 1:
            made.append((f"{flag} AND {score} > 0.5 AND {count} >= {few}",) * 2)
        else:
            sql = f"t0 = 'fr' AND {score} > {bar} AND NOT {flag}"
            made.append((sql, sql))
    return [(sql, _zen_text(text)) for sql, text in made]


def made_bundle() -> Bundle:
    """A bundle of the conditions; the last four close."""
    signals = {
        **{f"n{k}": "number" for k in range(20)},
        **{f"b{k}": "boolean" for k in range(15)},
        **{f"i{k}": "integer" for k in range(5)},
        "t0": "text",
    }
    rules = tuple(_rule(i, sql) for i, (sql, _) in enumerate(conditions()))
    queue = Queue("people", "People", frozenset({"analyst"}), 1, ("look",), ())
    return Bundle(
        name="bench",
        version="1",
        digest="0" * 64,
        files={},
        signals={n: Signal(n, kind, "source", n) for n, kind in signals.items()},  # type: ignore[arg-type]
        categories={},
        rules=rules,
        queues={"people": queue},
        actions={},
        patterns=(),
        playbooks={},
        macros={},
        default=Default("people", Severity.P3, "look", "No rule decides."),
    )


def made_cases(number: int) -> pl.DataFrame:
    """Cases with pseudo-random values, the same in every run."""
    key = pl.int_range(number, dtype=pl.UInt64)

    def uniform(seed: int) -> pl.Expr:
        return key.hash(seed).cast(pl.Float64) / 2.0**64

    return pl.select(
        (pl.lit("c") + key.cast(pl.String)).alias("case_id"),
        *(uniform(k).alias(f"n{k}") for k in range(20)),
        *((uniform(100 + k) < 0.05).alias(f"b{k}") for k in range(15)),
        *((uniform(200 + k) * 400).cast(pl.Int64).alias(f"i{k}") for k in range(5)),
        pl.when(uniform(300) < 0.25).then(pl.lit("fr")).otherwise(pl.lit("en")).alias("t0"),
    )


def _rule(number: int, sql: str) -> Rule:
    closes = number >= RULES - 4
    return Rule(
        id=f"r{number}",
        when=sql,
        route=Route.CLOSE if closes else Route.REVIEW,
        severity=Severity.P3,
        queue=None if closes else "people",
        action="look",
        reason="",
    )


def _zen_text(sql: str) -> str:
    text = sql.replace(" AND ", " and ").replace(" OR ", " or ").replace("NOT ", "not ")
    return text.replace(" = ", " == ").replace("'", '"')


def _best(bundle: Bundle, columns: pl.DataFrame) -> tuple[float, pl.DataFrame]:
    """The best of a few rounds: other work on the machine only ever adds time."""
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        outcome = evaluate(bundle, columns)
        times.append(perf_counter() - began)
    return min(times), outcome


def _zen(bundle: Bundle, columns: pl.DataFrame) -> tuple[float, list[str | None]]:
    """Decide with a first-hit decision table of the same rules; cases per second and answers."""
    engine = zen.ZenEngine()
    decision = engine.create_decision(json.dumps(_decision()))
    rows = columns.drop("case_id").rows(named=True)
    best, answers = 0.0, []
    for _ in range(ROUNDS):
        began = perf_counter()
        answers = [decision.evaluate(row)["result"].get("rule") for row in rows]
        best = max(best, len(rows) / (perf_counter() - began))
    return best, answers


def _decision() -> dict[str, Any]:
    """A graph of input, decision table and output, as zen's editor writes it."""
    rules = [
        {"_id": f"r{i}", "when": text, "out": f'"r{i}"'} for i, (_, text) in enumerate(conditions())
    ]
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": "when", "name": "when"}],
        "outputs": [{"id": "out", "name": "rule", "field": "rule"}],
        "rules": rules,
    }
    return {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode"},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
            {"id": "out", "name": "out", "type": "outputNode"},
        ],
        "edges": [
            {"id": "e1", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "e2", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }


def _row(figure: str, value: float, unit: str, limit: str, peer: str = "") -> dict[str, Any]:
    return {"figure": figure, "value": value, "unit": unit, "limit": limit, "peer": peer}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(), indent=2) + "\n")
