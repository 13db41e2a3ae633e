"""Every kernel body with arguments that it is launched with: what has to compile for each architecture.

A module of `kernels.cuda` that holds bodies, named `…_kernel`, says how they are launched by a function
`compile_cases() -> list[CompileCase]`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import kernels.cuda

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


@dataclass(frozen=True)
class CompileCase:
    """One kernel body with the kinds of arguments and the block that it is launched with."""

    kernel: str
    """Registered name of the kernel that launches it."""
    body: Callable[..., None]
    arguments: tuple[Any, ...]
    """Numbers, small C-contiguous NumPy arrays and named tuples of them, all but the fault word; only kinds matter."""
    n_threads: int = 128
    """Threads of a block at the most."""
    shared_bytes: int = 0
    """Shared memory of a block that the launch asks for, at the most; what the body declares comes on top."""
    floats: str = ""
    """`float32` or `float64` where the body works on either kind."""

    @property
    def name(self) -> str:
        """Module and body, and the kind of floats where there are two."""
        name = f"{self.body.__module__.rpartition('.')[2]}.{self.body.__name__}"
        return f"{name} {self.floats}" if self.floats else name


def modules() -> list[ModuleType]:
    """The modules of `kernels.cuda`, imported, in order of their names."""
    names = sorted(each.name for each in pkgutil.iter_modules(kernels.cuda.__path__))
    return [importlib.import_module(f"kernels.cuda.{name}") for name in names]


def all_cases() -> list[CompileCase]:
    """The cases of all modules. Raises ValueError where two have one name."""
    found: dict[str, CompileCase] = {}
    for module in modules():
        for case in module.compile_cases() if hasattr(module, "compile_cases") else ():
            if case.name in found:
                msg = f"two compile cases are named '{case.name}'; tell them apart by `floats`"
                raise ValueError(msg)
            found[case.name] = case
    return list(found.values())


def missing_bodies() -> list[str]:
    """Bodies that no compile case names: functions named `…_kernel`, and what `launch` is given by name."""
    listed = {(case.body.__module__, case.body.__name__) for case in all_cases()}
    return [
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in modules()
        for name in sorted(_bodies(module))
        if (module.__name__, name) not in listed
    ]


def _bodies(module: ModuleType) -> set[str]:
    tree = ast.parse(inspect.getsource(module))
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    launched = {
        node.args[1].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "launch"
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Name)
    }
    return {name for name in own if name.endswith("_kernel")} | (launched & own)
