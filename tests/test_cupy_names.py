"""Every name of CuPy that the code uses exists in the pinned CuPy, and in NumPy where one text serves both."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

cupy = pytest.importorskip("cupy", reason="CuPy is not installed; the extra `test` brings it")

ROOT = Path(__file__).parent.parent
FILES = sorted(file for package in ("kernels", "planner") for file in (ROOT / package).rglob("*.py"))
DEVICE_ONLY = ("asnumpy", "cuda")
"""What a home's module has without a counterpart in NumPy; only code that runs on devices alone uses it."""


def is_array_module(node: ast.AST, aliases: set[str]) -> bool:
    """Whether an expression is a home's module of arrays: `xp`, `….xp`, `array_module()`, or a name given to one."""
    if isinstance(node, ast.Name):
        return node.id in aliases
    if isinstance(node, ast.Attribute):
        return node.attr == "xp"
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "array_module"


def aliases_in(tree: ast.AST) -> set[str]:
    """Names that a file gives to the module of a home's arrays."""
    found = {"xp"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and is_array_module(node.value, found):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def names_in(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Every longest dotted name below CuPy or a home's module: ('cupy' or 'xp', name, line)."""
    aliases = aliases_in(tree)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or id(node) in inner:
            continue
        parts: list[str] = []
        root: ast.AST = node
        while isinstance(root, ast.Attribute):
            if is_array_module(root, aliases):
                break
            parts.insert(0, root.attr)
            root = root.value
        if parts and isinstance(root, ast.Name) and root.id == "cupy":
            yield "cupy", ".".join(parts), node.lineno
        elif parts and is_array_module(root, aliases):
            yield "xp", ".".join(parts), node.lineno


def has(module: Any, name: str) -> bool:
    for part in name.split("."):
        if not hasattr(module, part):
            return False
        module = getattr(module, part)
    return True


def faults(tree: ast.AST, place: str) -> list[str]:
    found = []
    for through, name, line in names_in(tree):
        if not has(cupy, name):
            found.append(f"{place}:{line}: CuPy {cupy.__version__} has no {name}")
        on_host = through == "xp" and name.split(".")[0] not in DEVICE_ONLY
        if on_host and not has(np, name):
            found.append(f"{place}:{line}: NumPy {np.__version__} has no {name}")
    return found


def test_every_name_exists() -> None:
    trees = {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
    seen = {name for tree in trees.values() for _, name, _ in names_in(tree)}
    assert {"asnumpy", "zeros", "sum", "ndarray", "cuda.get_current_stream"} <= seen
    found = [fault for place, tree in trees.items() for fault in faults(tree, place)]
    assert not found, "\n".join(found)


def test_what_only_cupy_has_stays_with_the_device() -> None:
    abroad = [
        f"{file}:{line} uses {name}"
        for file in FILES
        if file.relative_to(ROOT).parts[:2] not in (("kernels", "cuda"), ("kernels", "checkup"))
        for _, name, line in names_in(ast.parse(file.read_text(encoding="utf-8")))
        if name.split(".")[0] in DEVICE_ONLY
    ]
    assert not abroad


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("cupy.scatter_add(a, b)", ["CuPy"]),
        ("home.xp.frompyfunc(f, 1, 1)", ["CuPy"]),
        ("self.home.xp.add.reduce(a)", []),
        ("xp.asnumpy(a)", []),
        ("array_module().nonsense", ["CuPy", "NumPy"]),
        ("there = home(backend).xp\nthere.zeros(3)\nthere.ElementwiseKernel", ["NumPy"]),
        ("other.scatter_add(a)", []),
    ],
)
def test_the_walk_finds_names_however_they_are_reached(text: str, missing: list[str]) -> None:
    assert [fault.split()[1] for fault in faults(ast.parse(text), "text")] == missing
