"""Where things stand: the buildings and lineups of a site with their ids and dates, counted out once for all graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.expansion.dates import building_in_service, delayed
from sites.expansion.ids import padded

if TYPE_CHECKING:
    from sites.schema.building import Building, BuildingTemplate, LineupBatch, Storey
    from sites.schema.lineup import LineupTemplate
    from sites.schema.site import SiteFile


@dataclass(frozen=True)
class Lineup:
    """One lineup: its ids, its template and the quarter in which it opens."""

    lineup_id: str
    building_id: str
    hall_id: str
    block_id: str
    """Fabric block, whose rows share one leaf group."""
    row_ids: tuple[str, ...]
    in_service: str
    template: LineupTemplate
    batch: LineupBatch
    storey: Storey | None
    """The storey that its hall is on, where the file names it."""


@dataclass(frozen=True)
class Place:
    """One building with its template and lineups."""

    building_id: str
    building: Building
    template: BuildingTemplate
    in_service: str
    binding_date: str
    dates: dict[str, str]
    lineups: tuple[Lineup, ...]

    @property
    def hall_ids(self) -> tuple[str, ...]:
        """Halls in order of their first lineup."""
        return tuple(dict.fromkeys(lineup.hall_id for lineup in self.lineups))

    @property
    def blocks(self) -> dict[str, tuple[Lineup, ...]]:
        """The lineups of every fabric block."""
        result: dict[str, tuple[Lineup, ...]] = {}
        for lineup in self.lineups:
            result[lineup.block_id] = (*result.get(lineup.block_id, ()), lineup)
        return result


def places(site: SiteFile) -> tuple[Place, ...]:
    """Every building of the site in order of the file; templates must exist (see `sites.references`)."""
    return tuple(_place(site, building) for building in site.buildings)


def _place(site: SiteFile, building: Building) -> Place:
    template = site.building_templates[building.template]
    date = building_in_service(building.dates)
    return Place(
        building_id=building.name,
        building=building,
        template=template,
        in_service=date.quarter,
        binding_date=date.binding_date,
        dates=date.modes,
        lineups=_lineups(site, building.name, template, date.quarter),
    )


def _lineups(site: SiteFile, building_id: str, template: BuildingTemplate, in_service: str) -> tuple[Lineup, ...]:
    """Lineups and fabric blocks are numbered through each hall, in order of the batches."""
    n_in_hall: dict[str, int] = {}
    for batch in template.lineups:
        n_in_hall[batch.hall] = n_in_hall.get(batch.hall, 0) + batch.count
    storeys = {hall: storey for storey in template.storeys for hall in storey.halls}
    result: list[Lineup] = []
    n_lineups = dict.fromkeys(n_in_hall, 0)
    n_blocks = dict.fromkeys(n_in_hall, 0)
    for batch in template.lineups:
        lineup_template = site.lineup_templates[batch.template]
        hall_id = f"{building_id}/{batch.hall}"
        for offset in range(batch.count):
            n_lineups[batch.hall] += 1
            if offset % lineup_template.fabric.lineups_per_block == 0:
                n_blocks[batch.hall] += 1
            lineup_id = f"{hall_id}/l{padded(n_lineups[batch.hall], n_in_hall[batch.hall])}"
            result.append(
                Lineup(
                    lineup_id=lineup_id,
                    building_id=building_id,
                    hall_id=hall_id,
                    block_id=f"{hall_id}/leaf-{padded(n_blocks[batch.hall], n_in_hall[batch.hall])}",
                    row_ids=tuple(f"{lineup_id}/r{number}" for number in range(1, lineup_template.rows.count + 1)),
                    in_service=delayed(in_service, batch.delay_quarters),
                    template=lineup_template,
                    batch=batch,
                    storey=storeys.get(batch.hall),
                )
            )
    return tuple(result)
