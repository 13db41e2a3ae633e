"""Mutants of source change one place and still parse."""

from __future__ import annotations

import ast

from mutants import mutants

SOURCE = '''
def kernel(a: int | None, fault):
    """Text with a + b and a < b."""
    for place in range(first, n // 2, 3):
        if 0 <= place < n and a[place] != 1 or not b:
            a[place] += max(1, (place * 2) % 5)


def host(a):
    return a + 1


@jitable
def helper(x, y):
    é = x / y
    return é - 1
'''


def test_mutants_change_one_place_of_what_runs_on_the_device() -> None:
    found = mutants(SOURCE)
    texts = [one.applied(SOURCE) for one in found]
    assert len({*texts, SOURCE}) == len(found) + 1
    for one, text in zip(found, texts, strict=True):
        ast.parse(text)
        different = [
            n for n, (a, b) in enumerate(zip(SOURCE.splitlines(), text.splitlines(), strict=True), 1) if a != b
        ]
        assert different == [one.line]
        assert one.function in {"kernel", "helper"}
    changed = "\n".join(texts)
    for piece in (
        "range((first) + 1, n // 2, 3)", "range(first, (n // 2) - 1, 3)", "range(first, n % 2, 3)",
        "0 < place < n", "0 <= place >= n", "a[place] == 1", "place < n or a[place]", "!= 1 and not b",
        "a[place] -= max", "min(1, (place", "(place + 2) % 5", "(place * 2) - 5", "x * y", "é + 1",
    ):  # fmt: skip
        assert piece in changed, piece
