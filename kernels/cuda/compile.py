"""Compile every kernel for real devices without one: Numba to PTX, ptxas to machine code.

`python -m kernels.cuda.compile` compares the figures with the stored table and exits 1 where something is wrong;
`--write` renews the table and the sections of docs/kernels.md that are made of figures; `--cc 9.0` looks at one
architecture.
Numba keeps compiled device functions by argument kinds and not by architecture, so each has a process of its own.
ptxas (package nvidia-cuda-nvcc) is what the gate measures by; Numba's linker at run time differs by a few registers.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels import roofline
from kernels.cuda.api import SIMULATED, cuda
from kernels.cuda.compile_list import all_cases, missing_bodies
from kernels.cuda.compile_rules import shape_findings
from kernels.cuda.resources import ARCHITECTURES, Resources, findings, parse_ptxas, read_table, write_table
from kernels.cuda.resources_table import write_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernels.cuda.compile_list import CompileCase

DOCUMENT = Path(__file__).parents[2] / "docs" / "kernels.md"


class CompileError(Exception):
    """A tool that is missing, or a kernel that does not compile."""


def ptxas_path() -> str:
    """The assembler: of an installed wheel of NVIDIA's, or on the PATH. Raises CompileError without one."""
    spec = importlib.util.find_spec("nvidia")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = [str(path) for place in places for path in sorted(Path(place).glob("*/bin/ptxas"))]
    path = found[0] if found else shutil.which("ptxas")
    if path is None:
        msg = "there is no ptxas; install the package nvidia-cuda-nvcc (extra 'test')"
        raise CompileError(msg)
    return path


def tools() -> dict[str, str]:
    """Versions of what compiles."""
    text = subprocess.run([ptxas_path(), "--version"], capture_output=True, text=True, check=True).stdout
    return {
        "ptxas": text.split(" V")[-1].split()[0],
        "numba-cuda": importlib.metadata.version("numba-cuda"),
    }


def to_ptx(case: CompileCase, cc: str) -> str:
    """PTX of a kernel for a compute capability."""
    from numba import typeof

    kind: Any = typeof
    kinds = tuple(kind(each) for each in (*case.arguments, np.zeros(1, np.int64)))
    ptx: str = cuda.compile_ptx(case.body, kinds, cc=_numbers(cc), device=False)[0]
    return ptx


def compile_here(cc: str) -> list[Resources]:
    """Every case, compiled in this process. Raises CompileError where one does not compile."""
    if SIMULATED:
        msg = "the simulator compiles nothing; unset NUMBA_ENABLE_CUDASIM"
        raise CompileError(msg)
    _pretend(cc)
    with tempfile.TemporaryDirectory() as folder:
        return [_compiled(case, cc, Path(folder)) for case in all_cases()]


def compile_all(architectures: Sequence[str] = ARCHITECTURES) -> list[Resources]:
    """Every case for some compute capabilities, each in a process of its own. Raises CompileError."""
    result: list[Resources] = []
    for cc in architectures:
        command = [sys.executable, "-m", "kernels.cuda.compile", "--cc", cc, "--rows"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
        if done.returncode:
            msg = f"compute capability {cc}: {done.stderr.strip()[-3000:]}"
            raise CompileError(msg)
        result.extend(Resources(**row) for row in json.loads(done.stdout))
    return result


def _numbers(cc: str) -> tuple[int, int]:
    major, minor = cc.split(".")
    return int(major), int(minor)


def _pretend(cc: str) -> None:
    """Answer Numba's question for the device's compute capability, which it asks wherever a kernel calls a function."""
    dispatcher: Any = importlib.import_module("numba.cuda.dispatcher")

    class Device:
        compute_capability = _numbers(cc)

    dispatcher.get_current_device = lambda: Device


def _compiled(case: CompileCase, cc: str, folder: Path) -> Resources:
    source, target = folder / "kernel.ptx", folder / "kernel.cubin"
    try:
        source.write_text(to_ptx(case, cc), "utf-8")
    except Exception as error:
        msg = f"{case.name} does not compile to PTX: {error}"
        raise CompileError(msg) from error
    command = [ptxas_path(), "-v", f"-arch=sm_{cc.replace('.', '')}", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"{case.name} does not assemble: {done.stderr.strip()}"
        raise CompileError(msg)
    figures: dict[str, Any] = parse_ptxas(done.stderr)
    figures["shared_bytes"] += case.shared_bytes
    return Resources(name=case.name, kernel=case.kernel, cc=cc, n_threads=case.n_threads, **figures)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code is 1 where a kernel breaks a rule, 2 where a tool is missing or one fails."""
    parser = argparse.ArgumentParser(prog="python -m kernels.cuda.compile", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cc", action="append", choices=ARCHITECTURES, help="compute capability (default: all)")
    parser.add_argument("--write", action="store_true", help="renew the stored table and the documentation")
    parser.add_argument("--rows", action="store_true", help="print the figures of one compute capability as JSON")
    options = parser.parse_args(arguments)
    try:
        if options.rows:
            sys.stdout.write(json.dumps([asdict(one) for one in compile_here(options.cc[0])]))
            return 0
        found = compile_all(options.cc or ARCHITECTURES)
    except CompileError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return _report(found, options.cc is None and options.write, options.cc)


def _report(found: list[Resources], write: bool, architectures: Sequence[str] | None) -> int:
    if write:
        write_table(found, tools())
        write_section(DOCUMENT, found, tools())
        roofline.write_table(DOCUMENT)
    stored = {key: one for key, one in read_table()[0].items() if architectures is None or key[1] in architectures}
    wrong = [*(f"no compile case for {name}" for name in missing_bodies()), *shape_findings(all_cases())]
    wrong += findings(found, stored)
    for one in found:
        sys.stdout.write(
            f"{one.name:50} {one.cc:>5} {one.registers:4} registers {one.spill_bytes:4} spilled "
            f"{one.stack_bytes:5} stack {one.shared_bytes:6} shared {one.occupancy:4.0%}\n"
        )
    sys.stdout.writelines(f"WRONG {text}\n" for text in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
