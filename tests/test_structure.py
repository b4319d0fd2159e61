"""Habits that a reader can count on, held for every source file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FILES = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
MOST_LINES = 350
MOST_FUNCTION_LINES = 80
P99_FUNCTION_LINES = 50
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def num_lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_public(name: str) -> bool:
    return not name.startswith("_")


def is_overload(node: ast.stmt) -> bool:
    """Tell whether a function only declares types; the one it declares carries the docstring."""
    return isinstance(node, Function) and "overload" in map(ast.unparse, node.decorator_list)


def public_nodes(path: Path) -> Iterator[tuple[str, Documented]]:
    """Yield the module, its public classes and functions, and public methods of public classes."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    yield "module", module
    for node in module.body:
        if isinstance(node, ast.ClassDef | Function) and is_public(node.name) and not is_overload(node):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and is_public(node.name):
            methods = [part for part in node.body if isinstance(part, Function) and is_public(part.name)]
            yield from ((f"{node.name}.{method.name}", method) for method in methods)


def unannotated(function: Function) -> Iterator[str]:
    arguments = function.args
    places = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    for number, argument in enumerate(places):
        if argument is None or (number == 0 and argument.arg in ("self", "cls")):
            continue
        if argument.annotation is None:
            yield argument.arg
    if function.returns is None:
        yield "return"


def test_the_sources_are_found() -> None:
    assert len(SOURCES) > 10


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_source_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_functions_are_short() -> None:
    lengths = {f"{named(path)}:{f.name}": num_lines(f) for path in SOURCES for f in functions(path)}
    assert {name: length for name, length in lengths.items() if length > MOST_FUNCTION_LINES} == {}
    ordered = sorted(lengths.values())
    assert ordered[int(0.99 * (len(ordered) - 1))] <= P99_FUNCTION_LINES


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_every_function_is_typed(path: Path) -> None:
    gaps = [f"{f.name}, line {f.lineno}: {gap}" for f in functions(path) for gap in unannotated(f)]
    assert gaps == []


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_everything_public_has_a_docstring(path: Path) -> None:
    assert [name for name, node in public_nodes(path) if not ast.get_docstring(node)] == []


def test_no_room_is_without_a_name() -> None:
    assert [named(path) for path in FILES if NAMELESS & {path.stem, path.parent.name}] == []


def test_every_todo_has_an_issue() -> None:
    marks = re.compile("(?:TODO|FIXME|" + "XXX)(?! ?\\(?#[0-9])")
    open_ends = [
        f"{named(path)}:{number}"
        for path in FILES
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if marks.search(line)
    ]
    assert open_ends == []
