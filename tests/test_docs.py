"""What the documents say exists does: commands, options, code, files, links, modules and packages."""

from __future__ import annotations

import pkgutil
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest

from planner.cli.main import group

ROOT = Path(__file__).parent.parent
ALL_DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("sites/**/*.md")])
DOCUMENTS = [path for path in ALL_DOCUMENTS if "toys/toy-" not in path.as_posix()]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELLS = ("", "bash", "console", "sh")
COMMAND = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?(gigaplan\b.*)$")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path, *languages: str) -> list[str]:
    """Fenced blocks of some languages."""
    return [body for language, body in FENCE.findall(text_of(path)) if language in languages]


def inline_code(path: Path) -> list[str]:
    """Everything between single backticks outside fences."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", text_of(path)))


def fenced_commands(path: Path) -> list[str]:
    lines = [line.strip() for body in blocks(path, *SHELLS) for line in body.splitlines()]
    return [found.group(1) for line in lines if (found := COMMAND.match(line))]


def check_command(line: str, *, whole: bool) -> None:
    """Let click parse a command line as far as it would without running it.

    Parameters: line, from `gigaplan` on; whole, whether all arguments must be there and of their kind.
    """
    words = shlex.split(line.split(">")[0], comments=True)[1:]
    if not words or words[0].startswith("-"):
        assert set(words) <= {option for param in group.params for option in param.opts} | {"--help", "-h"}, line
        return
    context = click.Context(group)
    subcommand = group.get_command(context, words[0])
    assert subcommand is not None, f"`{line}`: there is no command {words[0]}"
    while isinstance(subcommand, click.Group) and len(words) > 1:
        below = subcommand.get_command(context, words[1])
        if below is None:
            break
        words, subcommand = words[1:], below
    known = {option for param in subcommand.params for option in param.opts} | {"--help", "-h"}
    assert not [word for word in words if word.startswith("-") and word.partition("=")[0] not in known], line
    if whole and "--help" not in words:
        subcommand.make_context(words[0], words[1:], parent=context)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_commands_parse(path: Path) -> None:
    for line in fenced_commands(path):
        check_command(line, whole=True)
    for code in inline_code(path):
        if found := COMMAND.match(code):
            check_command(found.group(1), whole=False)


def test_commands_are_found_and_wrong_ones_refused() -> None:
    assert len(fenced_commands(ROOT / "README.md")) > 3
    with pytest.raises(AssertionError):
        check_command("gigaplan plan reference-1gw --time-limt 60", whole=False)
    with pytest.raises(click.UsageError):
        check_command("gigaplan plan reference-1gw --time-limit soon", whole=True)
    with pytest.raises(click.UsageError):
        check_command("gigaplan plan", whole=True)
    with pytest.raises(AssertionError):
        check_command("gigaplan paln reference-1gw", whole=True)


def test_readme_lists_every_command() -> None:
    section = text_of(ROOT / "README.md").partition("## Commands")[2].partition("##")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.M)
    assert sorted(listed) == sorted(group.list_commands(click.Context(group)))


def test_readme_begins_with_make_targets() -> None:
    commands = [line.partition("#")[0].strip() for line in blocks(ROOT / "README.md", "bash")[0].splitlines()]
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert commands == ["make plan", "make test"]
    assert {"plan", "test"} <= set(targets)


PYTHON_BLOCKS = [(path, body) for path in DOCUMENTS for body in blocks(path, "python")]


@pytest.mark.parametrize(("path", "body"), PYTHON_BLOCKS, ids=[name_of(path) for path, _ in PYTHON_BLOCKS])
def test_python_runs(path: Path, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As written, but with a toy in the place of the campus, which would take a minute."""
    monkeypatch.chdir(tmp_path)
    exec(compile(body.replace("reference-1gw", "toy-meter"), name_of(path), "exec"), {"__name__": "__main__"})


def test_there_is_python_to_run() -> None:
    assert PYTHON_BLOCKS


LINK = re.compile(r"\]\(([^)\s]+)\)")
OURS = re.compile(r"^(?:sites|kernels|planner|docs|tests)/[\w./-]+$")


@pytest.mark.parametrize("path", ALL_DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(text_of(path)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.is_relative_to(ROOT), f"{target} leads out of the project"
        assert there.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in anchors(there), f"{target}: no such heading"


def anchors(path: Path) -> set[str]:
    """Anchors as GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(path)), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", ALL_DOCUMENTS, ids=name_of)
def test_named_files_exist(path: Path) -> None:
    """Paths in backticks that begin with a folder of ours; capital words (`sites/NAME.yaml`) stand for anything."""
    named = [code for code in inline_code(path) if OURS.match(code) and not re.search(r"[A-Z]{3}", code)]
    bases = [ROOT, path.parent]
    missing = [code for code in named if not any((base / code).exists() for base in bases)]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_named_modules_exist(path: Path) -> None:
    """Dotted names in backticks, as `planner.verify.verify(path)`."""
    for code in inline_code(path):
        if found := re.match(r"^((?:sites|kernels|planner)(?:\.\w+)+)(?:\(.*\))?$", code):
            assert pkgutil.resolve_name(found.group(1)) is not None


def test_module_map_names_every_package() -> None:
    design = text_of(ROOT / "docs/design.md")
    packages = ["sites", "kernels", *(f"planner/{one.parent.name}" for one in ROOT.glob("planner/*/__init__.py"))]
    assert len(packages) > 5
    assert not [package for package in packages if f"`{package}/`" not in design]


def test_every_document_can_be_reached_from_the_readme() -> None:
    readme = text_of(ROOT / "README.md")
    assert not [name_of(path) for path in ROOT.glob("docs/*.md") if f"]({name_of(path)})" not in readme]


PRIVATE = re.compile(r"(?<![\w.])/(?:work|home|root|tmp|Users|mnt|shared)/|\bshared/|[A-Z]:\\")


@pytest.mark.parametrize("path", ALL_DOCUMENTS, ids=name_of)
def test_no_private_path(path: Path) -> None:
    assert not PRIVATE.findall(text_of(path))


def test_private_paths_are_recognised() -> None:
    assert PRIVATE.search("see /home/someone/notes.md")
    assert not PRIVATE.search("see sites/work/site.yaml or https://example.org/home/page")


def test_changelog_has_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.search(r"^## (\S+)", text_of(ROOT / "CHANGELOG.md"), re.M)
    assert newest is not None
    assert newest.group(1) == project["version"]
    assert project["license"] == "Apache-2.0"


def test_picture_is_light() -> None:
    picture = ROOT / "docs/images/report.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 400_000
