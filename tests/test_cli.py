"""The command line: what it prints where, and how it ends."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernels.backends import BACKENDS
from planner.cli.exits import run_guarded
from planner.cli.main import _COMMANDS, main
from planner.cli.options import BACKENDS as OFFERED
from planner.run.folder import read_json
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

QUICK = ("--work-limit", "2000")


def run(*arguments: object) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "run"
    assert run("plan", "toy-scheme-2n", "--out", out, *QUICK) == 0
    return out


def test_plan_prints_one_json_document_and_keeps_stdout_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan", "toy-position", "--out", tmp_path / "run", "--json", *QUICK) == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    stored = read_json(tmp_path / "run" / "plan.json")
    assert {key: result[key] for key in ("status", "objective", "bound", "totals")} == {
        key: stored[key] for key in ("status", "objective", "bound", "totals")
    }
    assert "bound" in printed.err
    assert (tmp_path / "run" / "report.html").is_file()


def test_plan_says_where_the_report_lies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "toy-position", "--out", tmp_path / "run", *QUICK) == 0
    printed = capsys.readouterr()
    assert str(tmp_path / "run" / "report.html") in printed.err
    assert "gb200-nvl72" in printed.out


def test_verify_accepts_the_run_and_refuses_a_changed_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", folder) == 0
    assert "accepted" in capsys.readouterr().err
    original = (folder / "plan.json").read_text(encoding="utf-8")
    plan = json.loads(original)
    plan["bound"] -= 1
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    try:
        assert run("verify", folder, "--json") == 3
        assert json.loads(capsys.readouterr().out)["ok"] is False
    finally:
        (folder / "plan.json").write_text(original, encoding="utf-8")


def test_report_writes_the_same_page_again(folder: Path) -> None:
    before = (folder / "report.html").read_text(encoding="utf-8")
    (folder / "report.html").unlink()
    assert run("report", folder) == 0
    assert (folder / "report.html").read_text(encoding="utf-8") == before


@pytest.mark.parametrize("command", ["verify", "report"])
def test_a_folder_that_is_no_run_is_bad_input(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, tmp_path) == 2
    assert "not a run folder" in capsys.readouterr().err


def test_bad_input_lists_every_fault_and_writes_nothing(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portfolio = next(tiny.glob("*portfolio*.yaml"))
    lines = portfolio.read_text(encoding="utf-8").splitlines()
    broken = [*lines, "colour: blue"]
    broken = ["periods: many" if line.startswith("periods:") else line for line in broken]
    portfolio.write_text("\n".join(broken), encoding="utf-8")
    out = tiny / "run"
    assert run("plan", portfolio, "--out", out) == 2
    said = capsys.readouterr().err
    assert f"{portfolio}:{len(broken)}: colour: " in said
    assert "periods: " in said
    assert "2 faults" in said
    assert "Traceback" not in said
    assert not out.exists()
    assert [one for one in tiny.iterdir() if one.name.startswith(".")] == []


def test_validate_says_the_same_for_machines(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portfolio = next(tiny.glob("*portfolio*.yaml"))
    assert run("validate", portfolio, "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    portfolio.write_text(portfolio.read_text(encoding="utf-8") + "\ncolour: blue\n", encoding="utf-8")
    assert run("validate", portfolio, "--json") == 2
    [fault] = json.loads(capsys.readouterr().out)["faults"]
    assert fault["key"] == "colour"


@pytest.mark.parametrize(("name", "words"), [("toy-no-usable-row", "liquid"), ("toy-overloaded", "feeder-1")])
def test_infeasible_says_which_limit(name: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", name, "--out", tmp_path / "run") == 3
    said = capsys.readouterr().err
    assert "infeasible" in said
    assert words in said
    assert not (tmp_path / "run").exists()


def test_a_foreign_folder_is_refused_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert run("plan", "toy-position", "--out", tmp_path) == 2
    said = capsys.readouterr().err
    assert "not a run folder" in said
    assert "bound" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plann", "x"), "did you mean 'plan'"),
        (("plan", "toy-positon"), "did you mean 'toy-position'"),
        (("catalog", "vr-nvl7"), "did you mean 'vr-nvl72'"),
        (("show", "toy-position", "--site", "nowhere"), "toy-position"),
        (("plan", "toy-position", "--time-limit", "-3"), "--time-limit"),
        (("plan", "toy-position", "--guide", "none.npz"), "none.npz"),
        (("schema", "sight"), "sight"),
    ],
)
def test_mistakes_are_bad_input_with_a_way_out(
    arguments: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_ours_keeps_its_traceback_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("one over nothing")

    monkeypatch.setattr("sites.world.load_world", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run("validate", "toy-position") == 1
    said = capsys.readouterr().err
    [kept] = tmp_path.glob("gigaplan-*.txt")
    assert str(kept) in said
    assert "Traceback" not in said
    assert "ZeroDivisionError" in kept.read_text(encoding="utf-8")
    assert run("--debug", "validate", "toy-position") == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupted_before_a_plan_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sites.world.load_world", interrupted)
    assert run("plan", "toy-position", "--out", tmp_path / "run") == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_export_writes_the_problem(tmp_path: Path) -> None:
    target = tmp_path / "problem.mps"
    assert run("export", "toy-position", "--mps", target) == 0
    assert "ENDATA" in target.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == ["problem.mps"]


def test_catalog_shows_range_source_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("catalog") == 0
    listed = capsys.readouterr().out
    assert "gb300-nvl72" in listed
    assert "disabled" in listed
    assert run("catalog", "vr-nvl72/max-q") == 0
    shown = capsys.readouterr().out
    assert "profiles[max-q].sustained_max" in shown
    assert "190 kW" in shown
    assert run("catalog", "gb300-nvl72", "--json") == 0
    assert json.loads(capsys.readouterr().out)["name"] == "gb300-nvl72"


def test_doctor_names_every_backend_and_why_one_does_not_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernels.backends.why_not", lambda name: "no compiler" if name == "numba" else None)
    monkeypatch.setattr("kernels.cuda.presence.why_not_by_itself", lambda: "disagrees")
    assert run("doctor", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["name"]: one["why_not"] for one in found["backends"]} == {
        "backend cuda": "disagrees",
        "backend numba": "no compiler",
        "backend numpy": None,
    }
    assert found["solver"]["runs"]
    assert run("doctor") == 0
    assert "no compiler" in capsys.readouterr().out


def test_every_backend_can_be_asked_for() -> None:
    assert ("auto", *BACKENDS) == OFFERED


def test_a_backend_that_does_not_run_here_is_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernels.cuda.presence.why_not", lambda: "no NVIDIA driver was found")
    assert run("plan", "toy-position", "--out", tmp_path / "out", "--backend", "cuda") == 2
    said = capsys.readouterr().err
    assert "backend cuda does not run here: no NVIDIA driver was found; 'gigaplan doctor' shows what does" in said
    assert not (tmp_path / "out").exists()


def test_too_little_memory_says_what_to_ask_for_less_of(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise MemoryError("backend cuda: 'slack' of 9 bytes does not fit")

    assert run_guarded(fail, debug=False) == 2
    assert capsys.readouterr().err == (
        "gigaplan: not enough memory: backend cuda: 'slack' of 9 bytes does not fit; "
        "ask for fewer lanes, scenarios or processes\n"
    )


def test_doctor_without_a_gpu_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernels.cuda.presence.why_not", lambda: "no NVIDIA driver was found")
    assert run("doctor", "--gpu", "--out", tmp_path / "report.json") == 1
    assert "backend cuda does not run here: no NVIDIA driver was found" in capsys.readouterr().err
    assert not (tmp_path / "report.json").exists()
    assert run("doctor", "--out", tmp_path / "report.json") == 2


def test_the_number_of_lanes_is_recorded(tmp_path: Path) -> None:
    assert run("plan", "toy-contract", "--lanes", "3", "--work-limit", "9", "--out", str(tmp_path / "run")) == 0
    record = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert (record["options"]["n_lanes"], record["options"]["work_limit"]) == (3, 9)


@pytest.mark.parametrize("kind", ["site", "portfolio", "catalog"])
def test_schema_is_json_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema", kind) == 0
    assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org/")


def test_show_counts_nodes_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "toy-scheme-2n", "--graph", "power", "--json") == 0
    lines = json.loads(capsys.readouterr().out)
    assert {line["graph"] for line in lines} == {"power"}
    assert {"service", "ups", "busway", "row"} <= {line["kind"] for line in lines}
    target = tmp_path / "power.svg"
    assert run("show", "toy-scheme-2n", "--picture", target) == 0
    assert target.read_text(encoding="utf-8").startswith("<svg")
    assert run("show", "toy-shared-envelope", "--picture", tmp_path / "two.svg") == 2
    assert "--site" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "graph", "kinds"),
    [
        ("toy-duct-bank", "power", {"source: firm service", "common-mode group duct-bank"}),
        ("toy-non-firm", "power", {"source: firm service", "source: non-firm service"}),
        ("toy-swing-battery", "power", {"limit of the load's swing"}),
        ("toy-storey-point", "containment", {"storey 1, rows"}),
    ],
)
def test_show_tells_what_stands_beside_the_nodes(
    name: str, graph: str, kinds: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", name, "--graph", graph, "--json") == 0
    assert kinds <= {line["kind"] for line in json.loads(capsys.readouterr().out)}


def test_show_gives_batteries_and_generation_with_their_watts(capsys: pytest.CaptureFixture[str]) -> None:
    site = load_world("colossus-2").sites[0].site
    assert run("show", "colossus-2", "--graph", "power", "--json") == 0
    lines = {line["kind"]: line for line in json.loads(capsys.readouterr().out)}
    for battery in site.batteries:
        assert lines[f"battery {battery.name}"]["rating_highest_w"] == int(battery.power)
    for plant in site.generation:
        line = lines[f"source: generation {plant.name}"]
        assert line["nodes"] == plant.units
        assert 0 < line["rating_highest_w"] <= plant.units * plant.rating
    assert site.batteries
    assert site.generation


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "empty", "array", "other", "cut"])
def test_a_file_that_is_no_guide_is_refused_in_our_words(
    kind: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "guide.npz"
    match kind:
        case "folder":
            file.mkdir()
        case "text":
            file.write_text("hello", encoding="utf-8")
        case "empty":
            file.touch()
        case "array":
            with file.open("wb") as opened:
                np.save(opened, np.arange(3))
        case "other":
            np.savez(file, x=np.arange(3))
        case "cut":
            file.write_bytes((folder / "guide.npz").read_bytes()[:300])
    assert run("plan", "toy-scheme-2n", "--out", tmp_path / "run", "--guide", file) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"gigaplan: {file} is not a ")
    assert said.endswith("; name the guide.npz of a run folder")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_help_of_every_command_teaches_by_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, "--help") == 0
    said = capsys.readouterr().out
    assert f"gigaplan {name}" in said.partition("\n")[2]
    assert import_module(f"planner.cli.{name}_command").command.name == name


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "gigaplan plan claude-on-azure-1gw" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "limit_s"),
    [(["-c", "import planner"], 0.5), (["-m", "planner.cli.main", "--help"], 0.7)],
)
def test_start_is_quick(arguments: list[str], limit_s: float) -> None:
    def once() -> float:
        started = perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return perf_counter() - started

    assert min(once() for _ in range(5)) < limit_s


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from planner.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "heavy = {'numba', 'pint', 'networkx', 'matplotlib', 'pyarrow', 'highspy', 'rich', 'numpy', 'pydantic'}\n"
    code += "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


def test_catalog_shows_the_break_even_of_a_lower_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("catalog", "vr-nvl72", "--json") == 0
    lines = json.loads(capsys.readouterr().out)["break_evens"]
    assert {line["lower"] for line in lines} == {"vr-nvl72/max-q"}
    assert all(0.8 < line["factor"] < 1 for line in lines)
    assert run("catalog", "vr-nvl72") == 0
    printed = capsys.readouterr()
    assert "break-even" in printed.out
    assert "reckoned on reference-1gw" in printed.err
    assert run("catalog", "gb300-nvl72", "--json") == 0
    assert "break_evens" not in json.loads(capsys.readouterr().out)


def test_show_gives_machines_watts_and_null(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "toy-scheme-2n", "--graph", "power", "--json") == 0
    lines = {line["kind"]: line for line in json.loads(capsys.readouterr().out)}
    assert lines["ups"]["rating_lowest_w"] == 1_000_000
    assert lines["service"]["rating_lowest_w"] is None


def test_a_place_that_cannot_be_written_is_told_before_planning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert run("plan", "toy-position", "--out", tmp_path / "file" / "below" / "run") == 2
    printed = capsys.readouterr()
    assert f"'{tmp_path / 'file'}' is not a folder" in printed.err
    assert "lowering" not in printed.err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("planner.run.create.write_csv", full)
    assert run("plan", "toy-position", "--out", tmp_path / "run", *QUICK) == 2
    assert "this cannot be written (No space left on device)" in capsys.readouterr().err
    monkeypatch.setattr("planner.report.picture.picture", full)
    assert run("show", "toy-position", "--picture", tmp_path / "x.svg") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_bare_site_gives_its_name_to_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("validate", "fairwater-atlanta") == 0
    assert "fairwater-atlanta: valid; 1 site," in capsys.readouterr().err


def test_what_libraries_print_stays_out_of_stdout() -> None:
    """A solver's library that writes to the file descriptor must not end up amid JSON."""
    code = (
        "import os; from planner.cli.streams import keep_stdout_for_commands as keep; keep(); "
        "os.write(1, b'from a library\\n'); print('from a command')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "from a command\n"
    assert done.stderr == "from a library\n"
