"""What a unit will need of memory, predicted before it starts.

Measured on the bundled sites, toys and sites of `us-frontier` (`docs/batch.md`): lowering, planning and verifying take
up to 210 MiB to begin with, and 45 to 95 KiB for every element of a site's graphs. Each failure changes what a few
elements above and below it carry, so that memory grows with elements and not with their square. Quarters hardly count.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sites.faults import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.inputs import InputFile
    from sites.world import World

BEGIN_BYTES = 256 << 20
"""Taken by a unit of no size: Python, libraries, the catalogue."""
BYTES_PER_ELEMENT = 112 << 10
"""Taken for each node of the power, cooling and fabric graphs of the largest site."""
BYTES_PER_ELEMENT_QUARTER = 1 << 10
"""Taken for each of them and each decision quarter beside that."""
SHARE_OF_FURTHER_SITES = 1 / 3
"""Of what a site takes alone, what it takes beside a larger one: what failures change is let go of site by site."""
SPARE = 2.0
"""A unit may take so many times what is predicted before it is ended."""
UNKNOWN_BYTES = 2 << 30
"""Allowed to a unit whose files cannot be loaded, so that it can say what is wrong with them."""
SHARE_OF_MACHINE = 0.9
"""Of the memory that is free when a batch starts, what its units together may be predicted to take."""


def predicted_bytes(n_elements: Sequence[int], n_periods: int) -> int:
    """Peak memory of a unit.

    Parameters: n_elements, nodes of the power, cooling and fabric graphs of each site; n_periods, decision quarters.
    """
    each = BYTES_PER_ELEMENT + BYTES_PER_ELEMENT_QUARTER * n_periods
    largest = max(n_elements)
    return BEGIN_BYTES + int(each * (largest + SHARE_OF_FURTHER_SITES * (sum(n_elements) - largest)))


def predicted_of_world(world: World) -> int:
    """Peak memory of planning and verifying a world."""
    from sites.expansion import expand
    from sites.portfolio_checks import decision_periods

    graphs = (expand(one.site, world.catalog) for one in world.sites)
    n_elements = [len(one.power) + len(one.cooling) + len(one.fabric) for one in graphs]
    return predicted_bytes(n_elements, decision_periods(world.portfolio))


class Predictions:
    """Predictions of units, each set of sites worked out once."""

    def __init__(self) -> None:
        """Nothing worked out yet."""
        self._known: dict[tuple[str, ...], int] = {}

    def of(self, files: Sequence[InputFile]) -> int:
        """Predicted peak memory of a unit in bytes; `UNKNOWN_BYTES` where its files cannot be loaded.

        Scenarios that change neither a site's file nor the quarters of the plan share a prediction: what else they
        change has no size.
        """
        from sites.world import world_of_files

        key = (*(file.sha256 for file in files if file.role == "site"), *_horizon(files))
        if key not in self._known:
            try:
                self._known[key] = predicted_of_world(world_of_files(files))
            except InputError:
                return UNKNOWN_BYTES  # for these files alone: under another scenario they may be right
        return self._known[key]


def _horizon(files: Sequence[InputFile]) -> Iterator[str]:
    """What the portfolio says of its quarters, as it is written."""
    from sites.yaml_nodes import plain_value, read_nodes

    [portfolio] = [file for file in files if file.role == "portfolio"]
    value: Any = plain_value(read_nodes(portfolio.content, portfolio.name)[0])
    return (str(value.get(key)) for key in ("start", "periods", "decisions_until"))


def size_of(predicted: int) -> float:
    """How long a unit takes against others, from what it is predicted to need beyond what every unit does.

    Parameters: predicted, bytes. A unit of no size takes as long as one of a tenth of what every unit needs.
    """
    return max(predicted - BEGIN_BYTES, 0) + BEGIN_BYTES / 10


def allowance_bytes(predicted: int) -> int:
    """Memory that a worker may take for a unit."""
    return int(predicted * SPARE)


@lru_cache(maxsize=1)
def free_bytes() -> int | None:
    """Memory that units may take, of the machine and of the control group that this process runs in; None: unknown."""
    found = [value for value in (_available_bytes(), _group_bytes()) if value is not None]
    return int(min(found) * SHARE_OF_MACHINE) if found else None


def _available_bytes() -> int | None:
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    words = lines.get("MemAvailable", "").split()
    if words:
        return int(words[0]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _group_bytes() -> int | None:
    """What the control group still allows, where it allows so much at all."""
    root = Path("/sys/fs/cgroup")
    try:
        most = (root / "memory.max").read_text(encoding="ascii").strip()
        used = int((root / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if most == "max" else max(int(most) - used, 0)
