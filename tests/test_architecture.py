"""The habits that keep the code readable, held by reading the code."""

import ast
import builtins
from collections.abc import Iterator

import casework.errors
from casework.errors import CaseworkError
from tests.source import PACKAGES, ROOT, Module, modules

MODULE_LINES = 300
FUNCTION_LINES = 45

#: Who may import whom, and which libraries stay at the edge.
ALLOWED = {
    "casework": {"casework"},
    "integrations": {"integrations", "casework"},
    "tasks": {"tasks", "casework", "integrations"},
    "flows": {"flows", "tasks", "casework"},
    "deployments": {"deployments", "flows", "tasks", "integrations", "casework"},
}
OUTSIDE = {"casework": {"prefect", "httpx"}, "integrations": set()}

#: Errors a module may raise beside ours: they speak to programmers or to Typer, never for a vendor.
PLAIN_ERRORS = {"ValueError", "TypeError", "AssertionError", "NotImplementedError", "StopIteration"}
TYPER_ERRORS = {"typer.Exit", "typer.Abort", "typer.BadParameter"}


def test_a_package_imports_only_the_layers_below_it() -> None:
    offenders = [
        f"{module.path}:{line} imports {name}"
        for module in modules()
        for line, name in module.imports()
        if (top := name.split(".")[0]) in PACKAGES and top not in ALLOWED[module.package]
    ]
    assert offenders == []


def test_the_domain_knows_neither_prefect_nor_http() -> None:
    offenders = [
        f"{module.path}:{line} imports {name}"
        for module in modules()
        for line, name in module.imports()
        if name.split(".")[0] in OUTSIDE.get(module.package, set())
    ]
    assert offenders == []


def test_policy_reads_no_clock_and_no_database() -> None:
    offenders = []
    for module in _domain():
        offenders += [
            f"{module.path}:{line} imports {name}"
            for line, name in module.imports()
            if name.split(".")[0] in {"sqlalchemy", "sqlmodel", "alembic", "time", "random"}
            or name.startswith("casework.store")
        ]
        offenders += [
            f"{module.where(node)} reads the clock"
            for node in _calls(module)
            if _dotted(node.func).split(".")[-1] in {"now", "utcnow", "today"}
        ]
    assert offenders == []


def test_only_the_engine_commits() -> None:
    committing = {
        module.path
        for module in modules()
        for node in _calls(module)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    }
    assert committing == {"casework/store/engine.py"}


def test_a_module_holds_one_noun_and_three_hundred_lines() -> None:
    lengths = {module.path: len(module.text.splitlines()) for module in modules()}
    assert {path: lines for path, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_a_function_does_one_thing_in_forty_five_lines() -> None:
    offenders = [
        f"{module.where(node)} {node.name}: {lines} lines"
        for module in modules()
        for node in module.functions()
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert offenders == []


def test_no_failure_is_swallowed() -> None:
    offenders = []
    for module in modules():
        offenders += [
            f"{module.where(node)} bare except"
            for node in module.nodes(ast.ExceptHandler)
            if isinstance(node, ast.ExceptHandler) and (node.type is None or _is_silent(node))
        ]
        offenders += [
            f"{module.where(node)} suppresses everything"
            for node in _calls(module)
            if _dotted(node.func).split(".")[-1] == "suppress"
            and any(_dotted(item) in {"Exception", "BaseException"} for item in node.args)
        ]
    assert offenders == []


def test_what_is_raised_is_ours() -> None:
    offenders = [
        f"{module.where(node)} raises {name}"
        for module in modules()
        for node, name in _raised(module)
        if not _is_ours(module, name)
    ]
    assert offenders == []


def test_nothing_is_opened_at_import_time() -> None:
    opening = {"create_engine", "open_engine", "load_settings", "Settings", "Client", "AsyncClient"}
    offenders = [
        f"{module.where(node)} {_dotted(node.func)}()"
        for module in modules()
        for statement in module.tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] in opening
    ]
    assert offenders == []


def test_what_is_public_says_what_it_is_for() -> None:
    offenders = [
        f"{module.where(node)} {getattr(node, 'name', 'module')}"
        for module in modules()
        for node in _public(module)
        if not ast.get_docstring(node)
    ]
    assert offenders == []


def test_every_error_has_a_code_of_its_own() -> None:
    errors = _tree_of(CaseworkError)
    codes = [error.__dict__.get("code") for error in errors]
    assert None not in codes
    assert len(set(codes)) == len(codes)


def test_the_tree_in_the_docstring_names_every_error() -> None:
    drawn = casework.errors.__doc__ or ""
    assert [
        error.__name__ for error in _tree_of(CaseworkError) if error.__name__ not in drawn
    ] == []


def test_every_package_can_be_read_from_the_root() -> None:
    assert [package for package in PACKAGES if not (ROOT / package / "__init__.py").exists()] == []


def _domain() -> list[Module]:
    """The pure part of `casework`.

    Not pure, and meant so: the store, the console, what reads the environment or the source tree,
    and `answering`, `assigning`, `commanding`, `pausing` and `qa_answering`, which join guard,
    store and ledger in one transaction for every way in.
    """
    edge = (
        "casework/store/",
        "casework/console/",
        "casework/answering.py",
        "casework/assigning.py",
        "casework/commanding.py",
        "casework/pausing.py",
        "casework/qa_answering.py",
        "casework/settings.py",
        "casework/version.py",
    )
    return [
        module
        for module in modules()
        if module.package == "casework" and not module.path.startswith(edge)
    ]


def _calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in module.nodes(ast.Call) if isinstance(node, ast.Call))


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_silent(handler: ast.ExceptHandler) -> bool:
    """Whether it catches everything and does nothing about it."""
    broad = handler.type is not None and _dotted(handler.type) in {"Exception", "BaseException"}
    return broad and all(isinstance(statement, ast.Pass) for statement in handler.body)


def _raised(module: Module) -> Iterator[tuple[ast.Raise, str]]:
    """Each `raise Name(...)` or `raise Name`; a bare `raise` and a variable pass on what came."""
    for node in module.nodes(ast.Raise):
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if (name := _dotted(raised)) and name.split(".")[-1][0].isupper():
                yield node, name


def _is_ours(module: Module, name: str) -> bool:
    origin = module.origins().get(name.split(".")[0], name.split(".")[0])
    full = ".".join([origin, *name.split(".")[1:]])
    if hasattr(builtins, name):
        return name in PLAIN_ERRORS
    return full in TYPER_ERRORS or full.split(".")[0] in PACKAGES or "." not in full


def _public(module: Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef]:
    """The module, its public classes and functions, and the public methods of those classes."""
    if module.text.strip() and not module.path.endswith("__init__.py"):
        yield module.tree
    yield from _public_in(module.tree)


def _public_in(node: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if child.name.startswith("_") or _is_repeated(child):
                continue
            yield child  # type: ignore[misc]  # AsyncFunctionDef has the same shape
            if isinstance(child, ast.ClassDef):
                yield from _public_in(child)


def _is_repeated(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """An overload, or a setter: the first one carries the docstring."""
    names = {_dotted(item).split(".")[-1] for item in node.decorator_list}
    return bool(names & {"overload", "setter", "override"})


def _tree_of(error: type[CaseworkError]) -> list[type[CaseworkError]]:
    """An error and all below it that the errors' own module declares."""
    below = [item for child in error.__subclasses__() for item in _tree_of(child)]
    return [error, *(item for item in below if item.__module__ == "casework.errors")]
