"""Weather: moist air against published points, readers and their faults, bundled stations and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from planner.year.weather import site_weather
from sites.faults import InputError
from sites.weather.hours import N_HOURS
from sites.weather.moist_air import humidity_ratio, saturation_pressure_pa, wet_bulb_degc
from sites.weather.readers import read_csv, read_epw, read_weather
from sites.weather.stations import STATIONS, bundled_year, distance_km, station_for, write_compact
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

# Dry bulb (degC), relative humidity, pressure (Pa) and wet bulb (degC), solved to 0.001 K.
WET_BULBS = [
    (7.0, 0.61, 100_000.0, 3.9263),
    (35.0, 0.50, 101_325.0, 26.1414),
    (-5.0, 0.80, 101_325.0, -5.8840),
    (25.0, 0.10, 90_000.0, 9.7035),
]


@pytest.mark.parametrize(("dry", "humidity", "pressure", "wet"), WET_BULBS)
def test_wet_bulbs_of_known_air(dry: float, humidity: float, pressure: float, wet: float) -> None:
    air, total = np.array([dry]), np.array([pressure])
    assert wet_bulb_degc(air, saturation_pressure_pa(air) * humidity, total)[0] == pytest.approx(wet, abs=0.002)


def test_the_handbooks_example_of_a_wet_bulb() -> None:
    """ASHRAE Handbook of Fundamentals 2017, chapter 1, example 1: 40 degC, 6.5 g/kg, wet bulb 20 degC."""
    air, total = np.array([40.0]), np.array([101_325.0])
    vapour = total * 0.0065 / (0.621945 + 0.0065)
    assert humidity_ratio(vapour, total)[0] == pytest.approx(0.0065)
    assert wet_bulb_degc(air, vapour, total)[0] == pytest.approx(20.0, abs=0.1)


def test_wet_bulbs_satisfy_the_balance_that_defines_them() -> None:
    """Handbook equation 33 away from freezing, written out: the wet bulb gives the humidity that it came from."""
    dry = np.linspace(8, 45, 38)
    total = np.full(38, 95_000.0)
    vapour = saturation_pressure_pa(dry) * np.linspace(0.3, 0.95, 38)
    wet = wet_bulb_degc(dry, vapour, total)
    saturated = 0.621945 * saturation_pressure_pa(wet) / (total - saturation_pressure_pa(wet))
    ratio = ((2501 - 2.326 * wet) * saturated - 1.006 * (dry - wet)) / (2501 + 1.86 * dry - 4.186 * wet)
    np.testing.assert_allclose(ratio, 0.621945 * vapour / (total - vapour), atol=2e-6)


def test_dry_air_has_a_wet_bulb() -> None:
    wet = wet_bulb_degc(np.array([30.0]), np.array([0.0]), np.array([101_325.0]))
    assert 9 < wet[0] < 11


def test_saturated_air_has_its_dry_bulb() -> None:
    air = np.linspace(-30, 45, 16)
    wet = wet_bulb_degc(air, saturation_pressure_pa(air) * 1.1, np.full(16, 101_325.0))
    np.testing.assert_allclose(wet, air, atol=0.001)
    assert (wet <= air).all()


def test_saturation_pressure_at_published_points() -> None:
    # ASHRAE Handbook of Fundamentals 2017, chapter 1, table 3: Pa at -20, 0.01 (triple point), 5, 25, 50 degC.
    points = np.array([-20.0, 0.01, 5.0, 25.0, 50.0])
    np.testing.assert_allclose(saturation_pressure_pa(points), [103.24, 611.65, 872.6, 3169.7, 12351.3], rtol=5e-4)


def epw(*, hours: int = N_HOURS) -> list[str]:
    """An EPW file whose hours repeat 35 degC at 50 %."""
    hour = "1999,1,1,1,0,flags,35.0,23.0,50,101325," + ",".join(["0"] * 25)
    return ["LOCATION,Somewhere,ZZ,USA,TMY3,000000,40.0,-80.0,-5.0,100.0", *["header"] * 7, *[hour] * hours]


def test_an_epw_file_gives_dry_and_wet_bulb() -> None:
    year = read_epw(epw(), "some.epw")
    assert year.title == "Somewhere, ZZ, USA"
    assert year.dry_bulb_degc.shape == year.wet_bulb_degc.shape == (N_HOURS,)
    assert set(year.dry_bulb_degc) == {35.0}
    assert year.wet_bulb_degc[0] == pytest.approx(26.1414, abs=0.002)


def test_epw_faults_have_their_lines() -> None:
    lines = epw()
    lines[8] = lines[8].replace("35.0", "99.9")
    lines[10] = "1999,1,1"
    lines[4000] = lines[4000].replace("101325", "warm")
    with pytest.raises(InputError) as found:
        read_epw(lines, "some.epw")
    text = str(found.value)
    assert "some.epw:9: dry_bulb_degc: found '99.9'; allowed is a number from -60 to 60" in text
    assert "some.epw:11: found 3 fields" in text
    assert "some.epw:4001: pressure_pa: found 'warm'" in text
    assert "found 8759 hours; a year has 8760" in text


def test_a_leap_year_and_another_file_are_refused() -> None:
    with pytest.raises(InputError, match="leave 29 February out"):
        read_epw(epw(hours=N_HOURS + 24), "some.epw")
    with pytest.raises(InputError, match=r"some\.epw:1: an EPW file begins with 'LOCATION,'"):
        read_epw(["a,b"], "some.epw")


def csv(heading: str, hour: str, hours: int = N_HOURS) -> list[str]:
    return [heading, *[hour] * hours]


@pytest.mark.parametrize(
    ("heading", "hour"),
    [
        ("dry_bulb_degc,relative_humidity_percent", "35,50"),
        ("relative_humidity_percent, dry_bulb_degc, pressure_pa", "50, 35, 101325"),
        ("dry_bulb_degc,dew_point_degc", "35,23.02"),
        ("dry_bulb_degc,wet_bulb_degc", "35,26.1414"),
    ],
)
def test_csv_takes_moisture_in_three_ways(heading: str, hour: str) -> None:
    year = read_csv(csv(heading, hour), "some.csv")
    assert year.wet_bulb_degc[17] == pytest.approx(26.1414, abs=0.01)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (csv("dry_bulb_degc", "35"), "some.csv:1: found the columns 'dry_bulb_degc'; write"),
        (csv("dry_bulb,wet_bulb_degc", "35,20"), "some.csv:1: found the columns 'dry_bulb', 'wet_bulb_degc'; write"),
        (csv("dry_bulb_degc,wet_bulb_degc", "20,35"), "the wet bulb is above the dry bulb in 8760 hours"),
        (csv("dry_bulb_degc,wet_bulb_degc", "20"), "some.csv:2: found 1 fields; the heading has 2"),
        (csv("dry_bulb_degc,wet_bulb_degc", "20,nan"), "some.csv:2: wet_bulb_degc: found 'nan'"),
        ([], "found the columns none"),
    ],
)
def test_csv_faults_have_their_lines(lines: list[str], words: str) -> None:
    with pytest.raises(InputError) as found:
        read_csv(lines, "some.csv")
    assert words in str(found.value)


def test_files_are_known_by_their_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"allowed are '\.epw' and '\.csv'"):
        read_weather(tmp_path / "year.txt")
    with pytest.raises(InputError, match="no such file"):
        read_weather(tmp_path / "year.epw")
    file = tmp_path / "Year.EPW"
    file.write_text("\n".join(epw()), encoding="utf-8")
    assert read_weather(file).source == f"file {file}"


def test_compact_years_come_back_to_a_tenth(tmp_path: Path) -> None:
    year = read_csv(csv("dry_bulb_degc,wet_bulb_degc", "-3.26,-4.04"), "some.csv")
    write_compact(year, tmp_path / "some.npz")
    with np.load(tmp_path / "some.npz") as arrays:
        assert set(arrays["dry_bulb_tenths"]) == {-33}
        assert set(arrays["wet_bulb_tenths"]) == {-40}


@pytest.mark.parametrize("station", STATIONS, ids=lambda one: one.name)
def test_bundled_stations_are_whole_years_with_a_source(station: object) -> None:
    year = bundled_year(station)  # type: ignore[arg-type]
    assert year.dry_bulb_degc.shape == (N_HOURS,)
    assert (year.wet_bulb_degc <= year.dry_bulb_degc).all()
    assert -35 < year.dry_bulb_degc.min() < 0
    assert 33 < year.dry_bulb_degc.max() < 42
    assert "TMY3" in year.source


def test_chicago_is_what_its_file_says() -> None:
    """Mean and highest dry bulb of the TMY3 file, and its first hour: -12.2 degC."""
    [chicago] = [one for one in STATIONS if one.name == "chicago"]
    year = bundled_year(chicago)
    assert year.dry_bulb_degc.mean() == pytest.approx(9.988, abs=0.001)
    assert year.dry_bulb_degc.max() == 35.0
    assert year.dry_bulb_degc[0] == -12.2


def test_distances_are_great_circles() -> None:
    [chicago] = [one for one in STATIONS if one.name == "chicago"]
    assert distance_km(chicago, 41.98, -87.92) == pytest.approx(0, abs=0.1)
    assert distance_km(chicago, 42.98, -87.92) == pytest.approx(111.2, abs=0.1)


def test_far_stations_are_named_as_assumptions_and_farther_ones_refused() -> None:
    assert station_for("fairwater-wisconsin", 42.67, -87.92)[1] == "Chicago O'Hare IL, 77 km away"
    assert "no public station near fairwater-atlanta is bundled" in station_for("fairwater-atlanta", 33.45, -84.49)[1]
    assert station_for("mine", 42.0, -88.0)[0].name == "chicago"
    with pytest.raises(InputError, match=r"mine: location: the nearest bundled station.*--weather mine=FILE\.epw"):
        station_for("mine", 59.3, 18.1)
    with pytest.raises(InputError, match="gives no latitude and longitude"):
        station_for("mine", None, None)


def test_weather_is_given_for_one_site_or_for_all(tmp_path: Path) -> None:
    world = load_world("claude-on-azure-1gw")
    file = tmp_path / "year.csv"
    file.write_text("\n".join(csv("dry_bulb_degc,wet_bulb_degc", "20,15")), encoding="utf-8")
    one = site_weather(world, [f"fairwater-atlanta={file}"])
    assert [weather.choice == "given" for weather in one] == [site.name == "fairwater-atlanta" for site in world.sites]
    assert all(weather.choice == "given" for weather in site_weather(world, [str(file)]))
    with pytest.raises(InputError, match="fairwater-atlanta"):
        site_weather(world, [f"fairwater-atlanto={file}"])
