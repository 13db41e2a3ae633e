"""What checks read off a site, against what lowering works out: single points by dominators, openings by dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fixtures.small_site import small_site
from fixtures.small_world import small_world
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.lower.site import prepare
from planner.lower.stops import forbidden_stops
from sites.calendar import quarter_index, quarters_from
from sites.checks import openings
from sites.checks.openings import OPENINGS
from sites.checks.single_points import SINGLE_POINTS
from sites.schema.failures import COMMON_MODE, FailureKind

if TYPE_CHECKING:
    from planner.lower.existence import Epoch

PERIODS = ("2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4")
FEEDS = st.sampled_from(["all", "matched"])
SPARES = st.integers(0, 1)
KINDS = [str(kind) for kind in FailureKind if kind != COMMON_MODE]
ELEMENTS = ["line", "main-transformer", "feeder", "unit-substation", "ups"]
SCHEMES: list[dict[str, object]] = [
    {"kind": "2n"},
    {"kind": "n", "blocks": 2},
    {"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"},
    {"kind": "block-redundant", "active": 1, "transfer_switch": "switch-2mw"},
    {"kind": "distributed", "blocks": 3, "make": 2},
]


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, Any]:
    """The small site with feeds, spares, planes, groups and promises drawn at random."""
    content = small_site(draw(st.sampled_from(SCHEMES)), n_rows=3)
    template = content["building_templates"]["hall-house"]
    standard, plant, feeder = content["lineup_templates"]["standard"], template["plants"][0], template["power"][0]
    content["power"][0]["count"] = draw(st.integers(1, 2))
    feeder |= {"count": draw(st.integers(1, 3)), "sharing": draw(st.sampled_from(["parallel", "matched"]))}
    template["power"].append({**feeder, "name": "house", "count": draw(st.integers(1, 3))})
    for part in (standard["liquid"], standard["air"], plant):
        part |= {"unit_feeds": draw(FEEDS), "powered_by": draw(st.sampled_from(["feeder", "house"]))}
    banks = (standard["liquid"]["cdus"], standard["air"]["handlers"], plant["coolers"], plant["chillers"])
    for bank in banks:
        bank |= {"count": draw(st.integers(2, 4)), "spares": draw(SPARES)}
    n_planes = draw(st.integers(1, 4))
    standard["fabric"] |= {
        "planes": n_planes,
        "planes_needed": draw(st.integers(1, n_planes)),
        "leaf_positions": draw(st.integers(4, 7)),
        "support_powered_by": draw(st.sampled_from(["feeder", "house"])),
        "support_feeds": draw(FEEDS),
    }
    content["climate"]["design_dry_bulb"] = draw(st.sampled_from(["20 degC", "28 degC", "37 degC"]))
    content["availability"][0] |= {
        "may_drop_on": draw(st.lists(st.sampled_from(KINDS), unique=True)),
        "maintenance": draw(st.lists(st.sampled_from(ELEMENTS), unique=True, max_size=2)),
    }
    return content


@settings(max_examples=80)
@given(layouts())
def test_what_is_warned_of_is_what_lowering_refuses(content: dict[str, Any]) -> None:
    world = small_world(content)
    site = prepare(world.sites[0], world.catalog, PERIODS)
    warned: dict[str, set[tuple[bool, str]]] = {row: set() for row in site.rows}
    for find in SINGLE_POINTS:
        for finding in find(site.graphs):
            planned, _, rest = finding.message.partition(" of one ")
            warned[finding.element].add((planned == "the planned outage", rest.split()[0]))
    for row, fields in site.rows.items():
        stops = [stop for stop in forbidden_stops(site.states[-1], row, fields) if not stop.is_pair]
        refused = {stop.kind for stop in stops}
        assert {kind for _, kind in warned[row]} == refused, row
        assert {kind for planned, kind in warned[row] if planned} == refused & set(fields["maintenance"]), row


QUARTERS = quarters_from("2027-Q1", 8)


@st.composite
def dated(draw: st.DrawFn) -> dict[str, Any]:
    """A layout whose groups come member by member, and whose rows may run on one feed for a while."""
    content = draw(layouts())
    quarter = st.sampled_from(QUARTERS)
    groups = content["building_templates"]["hall-house"]["power"]
    if draw(st.booleans()):  # Feeds of rows come one after another, and everything else is there.
        standard = content["lineup_templates"]["standard"]
        plant = content["building_templates"]["hall-house"]["plants"][0]
        for part in (standard["liquid"], standard["air"], plant):
            part["powered_by"] = "house"
        standard["fabric"]["support_powered_by"] = "house"
        groups = groups[:1]
    else:
        groups = [*content["power"], *groups]
        content["service"]["steps"][0]["start"] = draw(quarter)
    for group in groups:
        group["in_service"] = [draw(quarter) for _ in range(group["count"])]
    if draw(st.booleans()):
        content["availability"][0]["single_feed_until"] = draw(quarter)
    return content


@settings(max_examples=200)
@given(dated())
def test_rows_open_when_lowering_has_them(content: dict[str, Any]) -> None:
    """Unless a row loses its one feed again before the other comes, which is an error and told as one."""
    world = small_world(content)
    site = prepare(world.sites[0], world.catalog, QUARTERS)
    opens = openings(site.graphs)
    told = [finding.element for find in OPENINGS for finding in find(site.graphs) if finding.severity == "error"]
    for row in site.rows:
        there = [QUARTERS[t] for s in site.states for t in _periods(s.epoch) if row in s.epoch.power]
        first = quarter_index(QUARTERS[0]) + len(QUARTERS)
        assert min(map(quarter_index, there), default=first) == min(opens[row], first), row
        stays = len(there) == max(0, first - opens[row])
        assert stays == (row not in told), row


def _periods(epoch: Epoch) -> range:
    return range(epoch.first_period, epoch.end_period)
