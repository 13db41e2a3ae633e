"""Halls that carry a building's published IT power: how many lineups of what size, and the ratings around them.

Everything here is assumed. A lineup is a distributed 4N3 of four blocks and six rows like those of the library's other
sites, but stands for up to two of them side by side, so that a campus is planned in seconds. What fails as one in the
file, then, fails for both of them together, which is the harsher case. (Still larger ones would not be planned faster:
a row of many positions has many more fillings, and all of them count in the bound.)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

BLOCKS, MAKE, ROWS = 4, 3, 6
LINEUP_W = 8_400_000
"""A lineup of the library's other sites: four UPS of 2.8 MW, of which three carry the rows."""
LARGEST_LINEUP_W = 2 * LINEUP_W
LIGHTEST_RACK_W = 132_000
"""A rack of GB200, the least that the catalogue offers: so many positions are enough for all systems."""
CAPEX_USD_PER_W = Fraction(1, 2)
"""4.2 million USD for a lineup of 8.4 MW, as in the library's other sites."""
RACKS_PER_QUARTER_AND_MW = Fraction(21, 10)
"""What crews land, for each MW of a building, as in the library's other sites (700 racks a quarter in 336 MW)."""


@dataclass(frozen=True)
class Hall:
    """The lineups of one building."""

    it_w: int
    n_lineups: int

    @property
    def lineup_w(self) -> Fraction:
        """IT power of one lineup."""
        return Fraction(self.it_w, self.n_lineups)

    @property
    def row_w(self) -> int:
        """What the busways of a row carry, whole kW rounded up."""
        return _whole_kw(self.lineup_w / ROWS)

    @property
    def positions(self) -> int:
        """Rack positions of a row."""
        return ceil(Fraction(self.row_w, LIGHTEST_RACK_W))

    @property
    def lineups_alike(self) -> Fraction:
        """How many of the library's lineups of 8.4 MW one lineup stands for."""
        return self.lineup_w / LINEUP_W

    def scaled(self, per_lineup: int, multiple: int = 1) -> int:
        """A count of the library's lineup in proportion to the power, rounded up to a multiple."""
        return ceil(per_lineup * self.lineups_alike / multiple) * multiple

    def rating_w(self, share: Fraction) -> int:
        """A rating as a share of the lineup's power, whole kW rounded up."""
        return _whole_kw(self.lineup_w * share)

    @property
    def capex_usd(self) -> int:
        """What opening one lineup costs, whole thousands of USD."""
        return ceil(self.lineup_w * CAPEX_USD_PER_W / 1000) * 1000

    @property
    def landing_racks(self) -> int:
        """Racks that crews land in a quarter, in tens."""
        return max(50, round(Fraction(self.it_w, 1_000_000) * RACKS_PER_QUARTER_AND_MW / 10) * 10)


def hall_of(it_w: int) -> Hall:
    """The lineups of a building; it_w is its published IT power, W."""
    return Hall(it_w, ceil(Fraction(it_w, LARGEST_LINEUP_W)))


def _whole_kw(watts: Fraction) -> int:
    return ceil(watts / 1000) * 1000
