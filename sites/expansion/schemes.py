"""The named redundancy schemes: how rows hang on the blocks of a lineup, and what each block promises.

One function for each scheme. A promise is watts at the output of a block: in normal operation, and after one other
block has failed. The contingency rule of the whole graph enforces what really holds; promises only let
`sites.checks` report an upstream element that is too small for the scheme that it carries.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

from sites.schema.catalog import ElementKind
from sites.schema.power import BlockRedundant, CommonBus, Distributed, TwoN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.schema.power import Scheme

ONE = Fraction(1)


@dataclass(frozen=True)
class Promise:
    """Watts that an element promises downstream in normal operation and after one failure beside it."""

    normal_w: Fraction
    after_failure_w: Fraction


@dataclass(frozen=True)
class Extra:
    """An element that the scheme adds between blocks and rows."""

    element_id: str
    kind: ElementKind
    equipment: str
    promise: Promise


@dataclass(frozen=True)
class Feed:
    """An edge from a source to a load; `reserve` marks a transfer switch's alternate, share 0."""

    source: str
    load: str
    share: Fraction
    reserve: bool = False


@dataclass(frozen=True)
class Wiring:
    """What a scheme makes of the blocks of one lineup."""

    block_promises: tuple[Promise, ...]
    extras: tuple[Extra, ...]
    feeds: tuple[Feed, ...]
    row_sources: tuple[tuple[str, ...], ...]
    """For each row the elements that its busways hang on, in equal shares."""


def n_feeds(scheme: Scheme) -> int:
    """How many busways feed each row under a named scheme: two under 2N and distributed redundancy, else one."""
    return 2 if isinstance(scheme, (TwoN, Distributed)) else 1


def n_blocks(scheme: Scheme) -> int:
    """How many blocks (chains) a lineup has under a named scheme, the catcher included."""
    if isinstance(scheme, TwoN):
        return 2
    if isinstance(scheme, BlockRedundant):
        return scheme.active + 1
    return scheme.blocks


def wire(scheme: Scheme, lineup_id: str, blocks: Sequence[str], block_rating_w: Fraction, n_rows: int) -> Wiring:
    """The wiring of a lineup under a named scheme.

    Parameters: blocks, ids of the last element of each block's chain; block_rating_w, its rating in W; n_rows.
    Raises ValueError when the number of blocks is not the scheme's.
    """
    if len(blocks) != n_blocks(scheme):
        msg = f"scheme '{scheme.kind}' of {lineup_id} needs {n_blocks(scheme)} blocks, found {len(blocks)}"
        raise ValueError(msg)
    if isinstance(scheme, CommonBus):
        return common_bus(scheme, lineup_id, blocks, block_rating_w, n_rows)
    if isinstance(scheme, TwoN):
        return two_n(blocks, block_rating_w, n_rows)
    if isinstance(scheme, BlockRedundant):
        return block_redundant(scheme, lineup_id, blocks, block_rating_w, n_rows)
    if isinstance(scheme, Distributed):
        return distributed(scheme, blocks, block_rating_w, n_rows)
    return single_blocks(blocks, block_rating_w, n_rows)


def single_blocks(blocks: Sequence[str], block_rating_w: Fraction, n_rows: int) -> Wiring:
    """`none` and `n`: rows dealt over the blocks in turn, one busway each; a failed block's load is lost."""
    promise = Promise(block_rating_w, block_rating_w)
    return Wiring((promise,) * len(blocks), (), (), tuple((blocks[row % len(blocks)],) for row in range(n_rows)))


def common_bus(
    scheme: CommonBus, lineup_id: str, blocks: Sequence[str], block_rating_w: Fraction, n_rows: int
) -> Wiring:
    """`n-plus-1-bus`: all blocks share one output bus, which promises what all blocks but one can carry."""
    bus_id = f"{lineup_id}/bus"
    bus_w = block_rating_w * (len(blocks) - 1)
    block_promise = Promise(bus_w / len(blocks), block_rating_w)
    bus = Extra(bus_id, ElementKind.BUS, scheme.bus, Promise(bus_w, bus_w))
    feeds = tuple(Feed(block, bus_id, Fraction(1, len(blocks))) for block in blocks)
    return Wiring((block_promise,) * len(blocks), (bus,), feeds, ((bus_id,),) * n_rows)


def two_n(blocks: Sequence[str], block_rating_w: Fraction, n_rows: int) -> Wiring:
    """`2n`: every row draws half from each of two blocks, each of which can carry all."""
    return Wiring((Promise(block_rating_w / 2, block_rating_w),) * 2, (), (), (tuple(blocks),) * n_rows)


def block_redundant(
    scheme: BlockRedundant, lineup_id: str, blocks: Sequence[str], block_rating_w: Fraction, n_rows: int
) -> Wiring:
    """`block-redundant`: a transfer switch before each active block's rows, with the last block as catcher."""
    *active, catcher = blocks
    promise = Promise(block_rating_w, block_rating_w)
    switch_ids = [f"{lineup_id}/transfer-switch-{number}" for number in range(1, len(active) + 1)]
    switches = tuple(Extra(s, ElementKind.TRANSFER_SWITCH, scheme.transfer_switch, promise) for s in switch_ids)
    feeds = [Feed(block, switch, ONE) for block, switch in zip(active, switch_ids, strict=True)]
    feeds += [Feed(catcher, switch, Fraction(0), reserve=True) for switch in switch_ids]
    rows = tuple((switch_ids[row % len(switch_ids)],) for row in range(n_rows))
    block_promises = (promise,) * len(active) + (Promise(Fraction(0), block_rating_w),)
    return Wiring(block_promises, switches, tuple(feeds), rows)


def distributed(scheme: Distributed, blocks: Sequence[str], block_rating_w: Fraction, n_rows: int) -> Wiring:
    """`distributed` xN/y: rows dealt over the pairs of blocks in lexicographic order, half from each block.

    The lineup promises `make` blocks' worth, so make/blocks of each block in normal operation and, spread evenly,
    make/(blocks − 1) of each survivor after the loss of one.
    """
    pairs = list(combinations(blocks, 2))
    normal_w = block_rating_w * scheme.make / len(blocks)
    promise = Promise(normal_w, block_rating_w * scheme.make / (len(blocks) - 1))
    return Wiring((promise,) * len(blocks), (), (), tuple(pairs[row % len(pairs)] for row in range(n_rows)))
