"""Whatever changes the store writes an entry: the source is read for functions that do not.

A function *writes* if it makes an INSERT, UPDATE or DELETE, assigns to a row's attribute, or calls
one that does. It is *recorded* if it reaches ``append``, or if all who call it are recorded.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import casework.store

STORE = Path(casework.store.__file__).parent

#: Modules that are the ledger, or the ground it stands on.
GROUND = {
    *("engine", "ledger", "sealing"),
    *("schema", "migrations", "tables", "types"),
    *("bulk", "lookup", "keyset"),
}

#: Functions that may write without an entry, and why.
EXEMPT = {
    "breakers.keep_breaker": "says how a destination does; that one opens or closes has its entry",
    "accounts.note_use": "notes that a session is in use; its opening has its entry",
    "tokens.note_token_use": "notes that a token is in use; its making has its entry",
    "replies.begin_reply": "takes a request in hand; what it leads to has its entries",
    "replies.keep_reply": "keeps an answer for a day; what it tells of has its entries",
    "replies.drop_reply": "forgets a request that came to nothing",
    "gates.settle": "notes that a run has ended; every step of the case has its entry already",
    "sending.claim": "leases an effect to a sender; what becomes of the effect has its entry",
    "inbox.receive": "keeps a post as it came; what it leads to has its entries when it is read",
    "signals.forget_expired": "empties a cache; the signals of a case are in its entry",
}

WRITERS = {"insert", "update", "delete", "insert_rows"}
SESSION_WRITERS = {"add", "add_all", "merge", "delete", "bulk_save_objects", "bulk_insert_mappings"}


class Function:
    """What one function of the store does, by name."""

    def __init__(self, module: str, node: ast.FunctionDef, imported: dict[str, str]) -> None:
        self.name = f"{module}.{node.name}"
        self.public = not node.name.startswith("_")
        self.writes = any(map(_writes, ast.walk(node)))
        self.calls = {
            imported.get(name, f"{module}.{name}") for name in map(_called, ast.walk(node)) if name
        }


def _called(node: ast.AST) -> str:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return node.id
    return ""


def _writes(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(_is_attribute_of_a_row(target) for target in targets)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.lstrip().upper().startswith(("INSERT ", "UPDATE ", "DELETE "))
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    if isinstance(called, ast.Name):
        return called.id in WRITERS
    return (
        isinstance(called, ast.Attribute)
        and called.attr in SESSION_WRITERS
        and isinstance(called.value, ast.Name)
        and called.value.id == "session"
    )


def _is_attribute_of_a_row(target: ast.AST) -> bool:
    return (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id not in ("self", "cls")
    )


def _imports(tree: ast.Module) -> dict[str, str]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("casework.store."):
            module = (node.module or "").removeprefix("casework.store.")
            found.update(
                {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
            )
    return found


def functions(sources: dict[str, str]) -> dict[str, Function]:
    """Every function and method of some modules, by ``module.name``."""
    found = {}
    for module, source in sources.items():
        tree = ast.parse(source)
        imported = _imports(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                function = Function(module, node, imported)
                found[function.name] = function
    return found


def reaching(known: dict[str, Function], goals: set[str]) -> set[str]:
    """All functions that call one of ``goals``, directly or not, and the goals."""
    reached = set(goals)
    while True:
        more = {name for name, each in known.items() if each.calls & reached} - reached
        if not more:
            return reached
        reached |= more


def mutators(known: dict[str, Function]) -> set[str]:
    """Public functions that write."""
    writing = reaching(known, {name for name, each in known.items() if each.writes})
    return {name for name in writing if name in known and known[name].public}


def unrecorded(known: dict[str, Function]) -> Iterator[str]:
    """Public functions that write and of which no entry tells."""
    recorded = reaching(known, {"ledger.append"})
    while True:
        more = {name for name in known if _callers(known, name) and name not in recorded}
        more = {name for name in more if _callers(known, name) <= recorded}
        if not more:
            break
        recorded |= more
    yield from sorted(mutators(known) - recorded)


def _callers(known: dict[str, Function], name: str) -> set[str]:
    return {other for other, each in known.items() if name in each.calls and other != name}


def store_sources() -> dict[str, str]:
    """The modules of the store, but for the ground they stand on."""
    found = {".".join(p.relative_to(STORE).with_suffix("").parts): p for p in STORE.rglob("*.py")}
    return {
        name: path.read_text()
        for name, path in found.items()
        if not name.endswith("__init__") and name.split(".")[0] not in GROUND
    }


def test_every_mutating_function_of_the_store_writes_an_entry() -> None:
    missing = set(unrecorded(functions(store_sources()))) - EXEMPT.keys()
    assert missing == set(), "these change the store and write no entry to the ledger"


def test_no_exemption_outlives_its_function() -> None:
    assert EXEMPT.keys() <= set(unrecorded(functions(store_sources())))


def test_the_known_mutating_functions_are_seen() -> None:
    assert {
        "people.add_person",
        "people.change_person",
        "policy.adopt_bundle",
        "decisions.record_outcomes",
        "answers.take_answer",
        "carrying.carry_out",
        "intake.start_intake",
        "intake.record_arrivals",
        "quarantine.keep_rows",
        "outbox.enqueue",
        "sending.note_failure",
        "effects.discard_effect",
        "reversal.reverse",
        "qa.rounds.open_round",
        "qa.answers.take_qa_answer",
        "qa.golden.add_golden",
    } <= mutators(functions(store_sources()))


@pytest.mark.parametrize(
    "body",
    [
        "session.execute(insert(Case), rows)",
        "session.execute(update(Case).values(status='closed'))",
        "session.execute(delete(Case))",
        "session.add(case)",
        "session.get(Case, case).status = 'closed'\n    row = 1\n    row.status = 'closed'",
        "session.execute(text('  update cases set status = 1'))",
        "_helper(session)\ndef _helper(session):\n    session.add(1)",
    ],
)
def test_a_function_that_writes_without_an_entry_is_found(body: str) -> None:
    source = f"def change(session, case):\n    {body}\n"
    assert list(unrecorded(functions({"new": source}))) == ["new.change"]


def test_a_function_that_reaches_append_is_not_complained_of() -> None:
    source = (
        "from casework.store.ledger import append\n"
        "def change(session):\n    session.add(1)\n    _tell(session)\n"
        "def _tell(session):\n    append(session, [])\n"
    )
    assert list(unrecorded(functions({"new": source}))) == []


def test_a_part_of_a_recorded_function_is_not_complained_of() -> None:
    part = "def part(session):\n    session.add(1)\n"
    whole = (
        "from casework.store.ledger import append\nfrom casework.store.part import part\n"
        "def whole(session):\n    part(session)\n    append(session, [])\n"
    )
    assert list(unrecorded(functions({"part": part, "whole": whole}))) == []
    loose = "from casework.store.part import part\ndef other(session):\n    part(session)\n"
    found = functions({"part": part, "whole": whole, "loose": loose})
    assert list(unrecorded(found)) == ["loose.other", "part.part"]
