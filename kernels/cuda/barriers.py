"""Whether all threads of a block reach every barrier of a compiled kernel: read from its PTX, without a device.

Registers that depend on the thread's place are marked, and those that differ since threads took different ways.
Where threads part at a branch, no barrier may stand before they meet again (the branch's immediate postdominator).
Values loaded from an address that all threads share count as alike: that barriers lie between writes and reads of
shared memory is not looked at here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

_REGISTER = re.compile(r"%\w+(?:\.[xyz])?")
_LABEL = re.compile(r"^(\$\w+):")
_TARGET = re.compile(r"(\$\w+)\s*$")
_OWN = {"%tid.x", "%tid.y", "%tid.z", "%laneid"}
_ENDS = ("bra", "ret", "exit", "trap")
_WRITES_NONE = ("st", "bar", "bra", "red", "ret", "exit", "trap", "membar", "fence")
_OUTSIDE = "atom", "ld.local"
"""Loads whose value is taken to differ between threads wherever it comes from."""
_FIXED_WORD = re.compile(r"^ld\.shared\S*\s+\S+\s+\[([A-Za-z_$][\w$]*(?:\+\d+)?)\]$")


@dataclass(frozen=True)
class _Instruction:
    """One instruction: the number of its basic block, what it does, and the registers that it writes and reads."""

    block: int
    operation: str
    written: tuple[str, ...]
    read: tuple[str, ...]
    text: str


def divergent_barriers(ptx: str) -> list[str]:
    """Branches at which threads of a block may part while a barrier lies ahead; empty where none does.

    Parameters: ptx, of one kernel. Raises ValueError for barriers in code that calls functions or jumps by table.
    """
    if not re.search(r"\bbar(?:rier)?\.", ptx):
        return []
    if re.search(r"^\s*(?:@!?%p\d+\s+)?(?:call|brx)\b", ptx, re.MULTILINE):
        msg = "a kernel with barriers calls a function that was not inlined, or jumps by a table: not followed here"
        raise ValueError(msg)
    blocks, labels = _blocks(ptx[ptx.index(".entry") :])
    code = [_instruction(block, text) for block, texts in enumerate(blocks) for text in texts]
    follows = _successors(blocks, labels)
    barriers = {one.block for one in code if one.operation.startswith("bar")}
    return [blocks[branch][-1] for branch, apart in sorted(_partings(code, follows).items()) if apart & barriers]


def _blocks(ptx: str) -> tuple[list[list[str]], dict[str, int]]:
    """Basic blocks of a kernel's body, and the block that each label stands for."""
    blocks: list[list[str]] = [[]]
    labels: dict[str, int] = {}
    for line in ptx[ptx.index("{") + 1 :].splitlines():
        text = line.split("//")[0].strip()
        label = _LABEL.match(text)
        if label:
            blocks.append([])
            labels[label.group(1)] = len(blocks) - 1
            text = text[label.end() :].strip()
        if not text.endswith(";") or text.startswith("."):
            continue
        text = text.rstrip(";").strip()
        blocks[-1].append(text)
        if _instruction(0, text).operation.split(".")[0] in _ENDS:
            blocks.append([])
    return blocks, labels


def _instruction(block: int, text: str) -> _Instruction:
    guard, bare = re.match(r"^(?:@!?(%p\d+)\s+)?(.*)$", text, re.DOTALL).groups()  # type: ignore[union-attr]
    operation, _, operands = re.sub(r"\s+", " ", bare).partition(" ")
    registers, n_written = _REGISTER.findall(operands), 0
    if operation.split(".")[0] not in _WRITES_NONE:
        first = re.match(r"\s*(\{[^}]*\}|[^,]*)", operands)
        n_written = len(_REGISTER.findall(first.group(1))) if first else 0
    read = (*registers[n_written:], *([guard] if guard else []))
    return _Instruction(block, operation, tuple(registers[:n_written]), read, bare)


def _successors(blocks: list[list[str]], labels: dict[str, int]) -> list[list[int]]:
    """Blocks that follow each block; one more than there are stands for the end."""
    follows: list[list[int]] = []
    for number, texts in enumerate(blocks):
        last = texts[-1] if texts else ""
        operation, target = _instruction(0, last).operation.split(".")[0], _TARGET.search(last)
        beyond = [] if operation in _ENDS and not last.startswith("@") else [number + 1]
        if operation == "bra" and target:
            beyond.append(labels[target.group(1)])
        elif operation in _ENDS:
            beyond.append(len(blocks))
        follows.append(beyond)
    return [*follows, []]


def _meeting_points(follows: list[list[int]]) -> list[int]:
    """The immediate postdominator of each block; sets of blocks are bits of a number."""
    end = len(follows) - 1
    after = [(1 << (end + 1)) - 1] * end + [1 << end]
    before: list[int] = []
    while before != after:
        before = after.copy()
        for block in range(end - 1, -1, -1):
            common = -1
            for beyond in follows[block]:
                common &= after[beyond]
            after[block] = common & ((1 << (end + 1)) - 1) | 1 << block
    nearest = []
    for block in range(end):
        others = [other for other in range(end + 1) if other != block and after[block] >> other & 1]
        nearest.append(max(others, key=lambda other: after[other].bit_count()))
    return nearest


def _partings(code: list[_Instruction], follows: list[list[int]]) -> dict[int, set[int]]:
    """Blocks that end in a branch at which threads may part, each with the blocks before they meet again."""
    meeting, places, users = _meeting_points(follows), defaultdict(set), defaultdict(set)
    texts: defaultdict[str, set[str]] = defaultdict(set)
    for one in code:
        fixed = _FIXED_WORD.match(one.text.replace("\t", " "))
        for register in one.written:
            places[register].add(one.block)
            texts[register].add(fixed.group(1) if fixed else "")
        for register in one.read:
            users[register].add(one.block)
    # Whichever way a thread came, it has read the same word.
    alike = {register for register, words in texts.items() if len(words) == 1 and "" not in words}
    differ, partings, n_before = set(_OWN), dict[int, set[int]](), -1
    while n_before != len(differ) + len(partings):
        n_before = len(differ) + len(partings)
        for one in code:
            if not (differ.intersection(one.read) or one.operation.startswith(_OUTSIDE)):
                continue
            differ.update(one.written)
            if one.operation.startswith("bra") and one.block not in partings:
                apart = partings[one.block] = _apart(one.block, meeting[one.block], follows)
                for register in {each for other in code if other.block in apart for each in other.written} - alike:
                    joined = len(places[register]) > 1 and (users[register] | places[register]) - apart
                    if joined or (one.block in apart and users[register] - apart):
                        differ.add(register)
    return partings


def _apart(branch: int, meeting: int, follows: list[list[int]]) -> set[int]:
    """Blocks that a thread may go through after a branch, before it comes to the meeting point."""
    found: set[int] = set()
    waiting = [block for block in follows[branch] if block != meeting]
    while waiting:
        block = waiting.pop()
        if block not in found:
            found.add(block)
            waiting += [beyond for beyond in follows[block] if beyond != meeting]
    return found
