"""What a compiled kernel needs of a device: registers, shared memory, and how many of its threads run at once."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernels.cuda.launch import MOST_SHARED_BYTES, MOST_THREADS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TABLE = Path(__file__).with_name("resources.json")
"""The figures of the last accepted compilation."""
GATED = ("8.0", "9.0", "10.0")
"""Compute capabilities at which registers and shared memory are bounded."""
ARCHITECTURES = (*GATED, "12.0")
"""Compute capabilities that every kernel is compiled for."""
MOST_REGISTERS = 64
REGISTER_SLACK = 4
"""Registers that a kernel may grow by before its stored figure has to be renewed."""
_REGISTERS_PER_MULTIPROCESSOR = 64 * 1024
_QUARTERS = 4
_WARP = 32
_REGISTER_UNIT = 256
_SHARED_UNIT_BYTES = 128
_SYSTEM_SHARED_BYTES = 1024


@dataclass(frozen=True)
class Multiprocessor:
    """What one multiprocessor holds at once."""

    n_threads: int
    n_blocks: int
    shared_bytes: int


MULTIPROCESSORS = {
    "8.0": Multiprocessor(2048, 32, 164 * 1024),
    "9.0": Multiprocessor(2048, 32, 228 * 1024),
    "10.0": Multiprocessor(2048, 32, 228 * 1024),
    "12.0": Multiprocessor(1536, 24, 100 * 1024),
}
"""By compute capability. Source: NVIDIA CUDA Core Libraries 13.3, `cuda/__device/arch_traits.h`, which restates the
CUDA Programming Guide's table of technical specifications per compute capability."""


@dataclass(frozen=True)
class Resources:
    """What one kernel body needs at one compute capability, by ptxas."""

    name: str
    kernel: str
    cc: str
    n_threads: int
    registers: int
    spill_bytes: int
    """Stores and loads that spilled registers cost."""
    stack_bytes: int
    shared_bytes: int
    """Of a block: declared, and asked for at launch."""

    @property
    def occupancy(self) -> float:
        """Share of a multiprocessor's threads that can be there at once (`theoretical_occupancy`)."""
        return theoretical_occupancy(self.cc, self.n_threads, self.registers, self.shared_bytes)


def theoretical_occupancy(cc: str, n_threads: int, registers: int, shared_bytes: int) -> float:
    """Share of a multiprocessor's threads that blocks of one kernel can fill.

    Parameters: compute capability; threads of a block; registers of a thread; shared bytes of a block. Registers are
    granted by 256 to a warp, from a quarter of them for each scheduler, shared memory by 128 bytes with 1 KiB of the
    system's own for each block (source: the CUDA Programming Guide's compute capabilities; granularities as in
    NVIDIA's occupancy calculator).
    """
    most = MULTIPROCESSORS[cc]
    n_warps = -(-n_threads // _WARP)
    warp_registers = -(-max(registers, 1) * _WARP // _REGISTER_UNIT) * _REGISTER_UNIT
    shared = -(-shared_bytes // _SHARED_UNIT_BYTES) * _SHARED_UNIT_BYTES + _SYSTEM_SHARED_BYTES
    quarter = _REGISTERS_PER_MULTIPROCESSOR // _QUARTERS
    by_registers = quarter // warp_registers * _QUARTERS // n_warps
    n_blocks = min(most.n_blocks, most.n_threads // (n_warps * _WARP), by_registers, most.shared_bytes // shared)
    return n_blocks * n_warps * _WARP / most.n_threads


def parse_ptxas(text: str) -> dict[str, int]:
    """Registers, spill, stack and shared bytes from what `ptxas -v` prints for one kernel.

    Parameters: text, its standard error; functions that were not inlined add to spills and stack. Raises ValueError
    where the text names no registers.
    """
    registers = [int(each) for each in re.findall(r"Used (\d+) registers", text)]
    if not registers:
        msg = f"ptxas named no registers; it printed: {text.strip()[:400]}"
        raise ValueError(msg)
    return {
        "registers": max(registers),
        "spill_bytes": sum(int(each) for each in re.findall(r"(\d+) bytes spill (?:stores|loads)", text)),
        "stack_bytes": sum(int(each) for each in re.findall(r"(\d+) bytes stack frame", text)),
        "shared_bytes": sum(int(each) for each in re.findall(r"(\d+) bytes smem", text)),
    }


def findings(found: Iterable[Resources], stored: Mapping[tuple[str, str], Resources]) -> list[str]:
    """What is wrong with compiled kernels, each with the way out; nothing where all is well.

    Parameters: found, as compiled now; stored, by name and compute capability, as accepted last.
    """
    wrong = [text for one in found for text in _beyond(one)]
    seen = set()
    for one in found:
        key = (one.name, one.cc)
        seen.add(key)
        if key not in stored:
            wrong.append(f"{one.name} at {one.cc} is not in {TABLE.name}; run `python -m kernels.cuda.compile --write`")
        elif one.registers > stored[key].registers + REGISTER_SLACK:
            before = stored[key].registers
            wrong.append(f"{one.name} at {one.cc} takes {one.registers} registers, {before} when the table was written")
    gone = sorted({name for name, _ in stored.keys() - seen})
    wrong.extend(f"{name} stands in {TABLE.name} but was not compiled" for name in gone)
    return wrong


def _beyond(one: Resources) -> list[str]:
    where, wrong = f"{one.name} at {one.cc}", []
    if one.spill_bytes:
        wrong.append(f"{where} spills registers: {one.spill_bytes} bytes; split it or keep fewer values alive")
    if one.n_threads > MOST_THREADS:
        wrong.append(f"{where} is launched with {one.n_threads} threads of a block; {MOST_THREADS} are allowed")
    if one.cc in GATED and one.registers > MOST_REGISTERS:
        wrong.append(f"{where} takes {one.registers} registers; {MOST_REGISTERS} are allowed")
    if one.cc in GATED and one.shared_bytes > MOST_SHARED_BYTES:
        wrong.append(f"{where} takes {one.shared_bytes} bytes of shared memory; {MOST_SHARED_BYTES} are allowed")
    return wrong


def write_table(found: Iterable[Resources], tools: Mapping[str, str], path: Path = TABLE) -> None:
    """Keep the figures of a compilation, a line each. Parameters: found; tools, versions by name; path."""
    rows = sorted(found, key=lambda one: (one.name, ARCHITECTURES.index(one.cc)))
    lines = ",\n".join("  " + json.dumps(asdict(one)) for one in rows)
    path.write_text(f'{{"tools": {json.dumps(dict(sorted(tools.items())))},\n"kernels": [\n{lines}\n]}}\n', "utf-8")


def read_table(path: Path = TABLE) -> tuple[dict[tuple[str, str], Resources], dict[str, str]]:
    """The stored figures by name and compute capability, and the tools that they come from; empty without a file."""
    if not path.exists():
        return {}, {}
    table = json.loads(path.read_text("utf-8"))
    rows = [Resources(**row) for row in table["kernels"]]
    return {(one.name, one.cc): one for one in rows}, table["tools"]
