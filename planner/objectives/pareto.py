"""The front of two measures as files: each point's run, a table, a picture, and exact figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.objectives.front import Front, can_have_floor, rows
from planner.run.folder import is_run_folder, write_json, write_whole
from planner.run.tables import write_csv
from sites.faults import Fault, InputError
from sites.objective_checks import measure_faults
from sites.portfolio_checks import decision_periods

if TYPE_CHECKING:
    from planner.objectives.study import Study
    from sites.schema.objective import Measure

FORMAT = "gigaplan-front/1"
DOCUMENT, TABLE, PICTURE = "front.json", "front.csv", "front.svg"


def pareto(study: Study, measures: tuple[Measure, Measure], n_points: int) -> dict[str, Any]:
    """Find the front of two measures and write it beside its runs.

    Parameters: study, whose folder gets a run for each point, kept where it holds them already; measures, more is
    better of both; n_points, 2 or more. Raises InputError where a measure cannot be taken of this portfolio, or the
    folder is that of one run.
    """
    portfolio = study.world.portfolio
    n_decided = decision_periods(portfolio)
    faults = [fault for one in measures for fault in measure_faults(one, portfolio, study.world.catalog, n_decided)]
    if is_run_folder(study.out):
        faults.append(f"'{study.out}' is the folder of one run; name another, which gets a run for each point")
    if faults:
        raise InputError([Fault("pareto", None, "--of", fault) for fault in faults])
    # A floor is kept by a price in money, so money goes first where it is one of the two.
    first, second = measures if not can_have_floor(measures[1], measures[0]) else (measures[1], measures[0])
    front = Front(study, first, second)
    front.find(n_points)
    document = _document(front)
    study.out.mkdir(parents=True, exist_ok=True)
    write_whole(study.out / DOCUMENT, lambda path: write_json(path, document))
    lines = list(rows(front))
    write_whole(study.out / TABLE, lambda path: write_csv(path, tuple(lines[0]), lines))
    write_whole(study.out / PICTURE, lambda path: path.write_text(_picture(front), encoding="utf-8"))
    return document


def _document(front: Front) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "portfolio": front.study.world.portfolio.name,
        "measures": [str(front.first), str(front.second)],
        "units": [front.first.kind.unit, front.second.kind.unit],
        "points": list(rows(front)),
        "lines": [_line(front, point) for point in front.points],
    }


def _line(front: Front, point: Any) -> dict[str, Any]:
    """What the certificate of a point proves: weights · values ≤ proven, of plans with so much of the second."""
    weights = {str(measure): str(weight) for measure, weight in point.answer.weights.items()}
    least = None if point.b_least is None else str(point.b_least)
    return {
        "point": point.answer.name,
        "weights": weights,
        "at_most_usd": str(point.proven_usd),
        f"{front.second}_at_least": least,
    }


def _picture(front: Front) -> str:
    from planner.report.front_picture import FrontDots, picture_of_front

    kept = front.kept()
    limits = [(point, front.at_most(b=point.b)) for point in sorted(front.points, key=lambda one: one.b)]
    return picture_of_front(
        FrontDots(
            title=f"{front.study.world.portfolio.name}: {front.first} against {front.second}",
            labels=(f"{front.first} ({front.first.kind.unit})", f"{front.second} ({front.second.kind.unit})"),
            front=tuple((float(point.a), float(point.b)) for point in kept),
            others=tuple((float(point.a), float(point.b)) for point in front.points if point not in kept),
            limit=tuple((float(limit), float(point.b)) for point, limit in limits if limit is not None),
        )
    )
