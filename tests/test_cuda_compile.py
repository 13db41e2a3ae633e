"""Every CUDA kernel compiles for real devices within what they grant, without a device at hand."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if importlib.util.find_spec("numba_cuda") is None:
    pytest.skip("the packages of the extra 'test' for CUDA are not installed", allow_module_level=True)

from kernels.cuda import compile_list, compile_rules, loads, resources, resources_table
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.resources import Resources

ROOT = Path(__file__).parent.parent
GOOD = Resources("loads.slack_kernel", "slack", "9.0", 128, 38, 0, 0, 0)
PTXAS = """ptxas info    : 8 bytes gmem
ptxas info    : Function properties for f
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Compiling entry function 'k' for 'sm_90'
ptxas info    : Function properties for k
    64 bytes stack frame, 40 bytes spill stores, 44 bytes spill loads
ptxas info    : Used 64 registers, used 1 barriers, 64 bytes cumulative stack size, 2048 bytes smem
"""


@pytest.mark.slow
def test_every_kernel_compiles_within_its_limits() -> None:
    command = [sys.executable, "-m", "kernels.cuda.compile"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, "\n".join([*(x for x in done.stdout.splitlines() if "WRONG" in x), done.stderr])
    n_cases = len(compile_list.all_cases())
    assert len(done.stdout.splitlines()) == n_cases * len(resources.ARCHITECTURES)


def test_every_body_is_listed() -> None:
    assert not compile_list.missing_bodies()
    assert compile_list.all_cases()


def test_a_body_that_nobody_lists_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "compile_cases", list)
    assert "loads.slack_kernel" in compile_list.missing_bodies()


def test_the_documentation_shows_the_stored_figures() -> None:
    stored, tools = resources.read_table()
    text = (ROOT / "docs" / "kernels.md").read_text("utf-8")
    assert resources_table.with_section(text, resources_table.section(stored.values(), tools)) == text


def test_ptxas_output_is_read() -> None:
    figures = resources.parse_ptxas(PTXAS)
    assert figures == {"registers": 64, "spill_bytes": 84, "stack_bytes": 64, "shared_bytes": 2048}
    with pytest.raises(ValueError, match="no registers"):
        resources.parse_ptxas("ptxas fatal")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spill_bytes": 8}, "spills registers"),
        ({"registers": 65}, "takes 65 registers; 64 are allowed"),
        ({"registers": 43}, "takes 43 registers, 38 when"),
        ({"shared_bytes": 48 * 1024 + 1}, "bytes of shared memory"),
        ({"n_threads": 257}, "threads of a block"),
        ({"name": "loads.other_kernel"}, "is not in resources.json"),
        ({"name": "loads.other_kernel"}, "loads.slack_kernel stands in resources.json but was not compiled"),
    ],
)
def test_the_gate_finds(change: dict[str, Any], words: str) -> None:
    stored = {(GOOD.name, GOOD.cc): GOOD}
    assert not resources.findings([replace(GOOD, registers=42, shared_bytes=48 * 1024, n_threads=256)], stored)
    assert any(words in text for text in resources.findings([replace(GOOD, **change)], stored))


def test_consumer_devices_are_compiled_for_and_not_bounded() -> None:
    wide = replace(GOOD, cc="12.0", registers=80)
    assert not resources.findings([wide], {(wide.name, wide.cc): wide})


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [replace(GOOD, cc=cc, registers=40) for cc in reversed(resources.ARCHITECTURES)]
    resources.write_table(rows, {"ptxas": "1"}, tmp_path / "table.json")
    found, tools = resources.read_table(tmp_path / "table.json")
    assert found == {(one.name, one.cc): one for one in rows}
    assert list(found) == [(GOOD.name, cc) for cc in resources.ARCHITECTURES]
    assert tools == {"ptxas": "1"}


@pytest.mark.parametrize(
    ("cc", "n_threads", "registers", "shared_bytes", "n_blocks"),
    [
        ("9.0", 256, 32, 0, 8),  # every thread
        ("9.0", 256, 33, 0, 6),  # 1,280 registers a warp: 12 warps from each quarter of 16,384
        ("9.0", 256, 64, 0, 4),
        ("9.0", 32, 16, 0, 32),  # blocks run out
        ("9.0", 128, 16, 48 * 1024, 4),  # 228 kB by 49 kB
        ("12.0", 128, 16, 48 * 1024, 2),  # 100 kB by 49 kB
        ("12.0", 96, 64, 0, 10),  # 8 warps from each quarter, 32 by 3
    ],
)
def test_occupancy(cc: str, n_threads: int, registers: int, shared_bytes: int, n_blocks: int) -> None:
    share = resources.theoretical_occupancy(cc, n_threads, registers, shared_bytes)
    assert share == n_blocks * n_threads / resources.MULTIPROCESSORS[cc].n_threads


def many_kernel(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any, fault: Any) -> None:
    """Nine arguments."""
    fault[0] = 0


def blind_kernel(a: Any) -> None:
    a[0] = 0


def test_sources_keep_their_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.zeros(1, np.int64)
    assert not compile_rules.shape_findings([CompileCase("slack", loads.slack_kernel, (words,))])
    wrong = compile_rules.shape_findings([CompileCase("x", many_kernel, ()), CompileCase("x", blind_kernel, ())])
    assert len(wrong) == 2
    assert "takes 9 arguments" in wrong[0]
    assert "not its fault word" in wrong[1]
    monkeypatch.setattr(compile_rules, "MOST_LINES", 0)
    assert "has 1 lines" in compile_rules.shape_findings([CompileCase("x", many_kernel, ())])[1]
