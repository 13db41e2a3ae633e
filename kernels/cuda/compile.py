"""Compile every kernel for real devices without one: Numba to PTX, ptxas to machine code.

`python -m kernels.cuda.compile` compares the figures with the stored table and exits 1 where something is wrong;
`--write` renews the table and the sections of docs/kernels.md that are made of figures; `--cc 9.0` looks at one
architecture.
Numba lowers a kernel once, alike for all of these architectures, and NVVM makes PTX of it for each.
Barriers that a thread of a block might miss are looked for in the PTX (`barriers`).
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
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels import roofline
from kernels.cuda.api import SIMULATED
from kernels.cuda.barriers import divergent_barriers
from kernels.cuda.compile_list import all_cases, missing_bodies
from kernels.cuda.compile_rules import shape_findings
from kernels.cuda.resources import ARCHITECTURES, Resources, findings, parse_ptxas, read_table, write_table
from kernels.cuda.resources_table import write_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernels.cuda.compile_list import CompileCase

LOWERED = "8.0"
"""Compute capability that Numba lowers for; what it lowers to changes at 7.5 the last time (atomics, tanh)."""
DOCUMENT = Path(__file__).parents[2] / "docs" / "kernels.md"


class CompileError(Exception):
    """A tool that is missing, or a kernel that does not compile."""


@cache
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


def to_ptx(case: CompileCase, architectures: Sequence[str]) -> dict[str, str]:
    """PTX of a kernel by compute capability."""
    compiler: Any = importlib.import_module("numba.cuda.compiler")
    kind: Any = importlib.import_module("numba").typeof
    kinds = tuple(kind(each) for each in (*case.arguments, np.zeros(1, np.int64)))
    library = compiler._compile_pyfunc_with_fixup(case.body, kinds, cc=_numbers(LOWERED), device=False, abi="numba")[0]
    return {cc: library.get_asm_str(cc=_numbers(cc)) for cc in architectures}


def compile_here(architectures: Sequence[str]) -> list[Resources]:
    """Every case, compiled in this process. Raises CompileError where one does not compile."""
    if SIMULATED:
        msg = "the simulator compiles nothing; unset NUMBA_ENABLE_CUDASIM"
        raise CompileError(msg)
    _pretend()
    with tempfile.TemporaryDirectory() as folder:
        return [one for case in all_cases() for one in _compiled(case, architectures, Path(folder))]


def compile_all(architectures: Sequence[str] = ARCHITECTURES) -> list[Resources]:
    """Every case for some compute capabilities, in a process of its own. Raises CompileError."""
    command = [sys.executable, "-m", "kernels.cuda.compile", "--rows", *(f"--cc={cc}" for cc in architectures)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    if done.returncode:
        raise CompileError(done.stderr.strip()[-3000:])
    return [Resources(**row) for row in json.loads(done.stdout)]


def _numbers(cc: str) -> tuple[int, int]:
    major, minor = cc.split(".")
    return int(major), int(minor)


def _pretend() -> None:
    """Answer Numba's question for the device's compute capability, which it asks wherever a kernel calls a function."""
    dispatcher: Any = importlib.import_module("numba.cuda.dispatcher")

    class Device:
        compute_capability = _numbers(LOWERED)

    dispatcher.get_current_device = lambda: Device


def _compiled(case: CompileCase, architectures: Sequence[str], folder: Path) -> list[Resources]:
    try:
        found = to_ptx(case, architectures)
    except Exception as error:
        msg = f"{case.name} does not compile to PTX: {error}"
        raise CompileError(msg) from error
    for cc, ptx in found.items():
        parting = divergent_barriers(ptx)
        if parting:
            msg = (
                f"{case.name} at {cc}: threads of a block may part at `{parting[0]}` while a barrier lies ahead; "
                "let conditions around a barrier depend only on what all threads of a block read alike"
            )
            raise CompileError(msg)
    return [_assembled(case, cc, ptx, folder) for cc, ptx in found.items()]


def _assembled(case: CompileCase, cc: str, ptx: str, folder: Path) -> Resources:
    source, target = folder / "kernel.ptx", folder / "kernel.cubin"
    source.write_text(ptx, "utf-8")
    command = [ptxas_path(), "-v", f"-arch=sm_{cc.replace('.', '')}", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"{case.name} does not assemble for {cc}: {done.stderr.strip()}"
        raise CompileError(msg)
    figures: dict[str, Any] = parse_ptxas(done.stderr)
    figures["shared_bytes"] += case.shared_bytes
    return Resources(name=case.name, kernel=case.kernel, cc=cc, n_threads=case.n_threads, **figures)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code is 1 where a kernel breaks a rule, 2 where a tool is missing or one fails."""
    parser = argparse.ArgumentParser(prog="python -m kernels.cuda.compile", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cc", action="append", choices=ARCHITECTURES, help="compute capability (default: all)")
    parser.add_argument("--write", action="store_true", help="renew the stored table and the documentation")
    parser.add_argument("--rows", action="store_true", help="print the figures as JSON and judge nothing")
    options = parser.parse_args(arguments)
    try:
        if options.rows:
            sys.stdout.write(json.dumps([asdict(one) for one in compile_here(options.cc or ARCHITECTURES)]))
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
