"""What a day asks for, costs and breaks, as the sums say it should."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmarks.scaling.assumptions import Assumptions, AssumptionUnknown, assumed
from benchmarks.scaling.capacity import Day, fewest, from_the_lull, meets, plan_day
from benchmarks.scaling.cost import month_of
from benchmarks.scaling.day import jobs_of_a_day
from benchmarks.scaling.growth import kept
from benchmarks.scaling.inputs import MEASURED, InputMissing, Inputs, read_inputs
from benchmarks.scaling.ladder import Days, cells_of, rung
from benchmarks.scaling.limits import LIMITS, MOST_TENANTS, breaks_at, breaks_of, sized
from benchmarks.scaling.load import total
from benchmarks.scaling.population import draw_tenants, mean_series
from benchmarks.scaling.sensitivity import ASSUMED, tornado
from benchmarks.scaling.sensitivity import MEASURED as SWUNG
from infrastructure.observability.catalogue import read_catalogue

ROOT = Path(__file__).parents[3]
GIVEN = Assumptions()
INPUTS, _ = read_inputs()


@pytest.fixture(scope="module")
def day() -> Day:
    return plan_day(60, INPUTS, GIVEN)


def test_what_was_measured_was_measured_in_full_and_names_no_machine() -> None:
    parts = json.loads(MEASURED.read_text())["parts"]
    assert not any(part["brief"] for part in parts.values())
    for part in parts.values():
        assert set(part["machine"]) == {
            *("at", "cores", "processor", "memory_gib", "load_before", "python", "system")
        }


def test_an_input_that_is_not_there_is_named_with_the_way_to_it() -> None:
    with pytest.raises(InputMissing, match=r"postage.*benchmarks\.scaling\.measuring"):
        INPUTS.of("postage")
    with pytest.raises(InputMissing):
        INPUTS.scaled("postage", 2)


def test_the_pool_follows_a_power_of_the_series() -> None:
    inputs = Inputs({f"pool_cpu_s_of_{n}_series": 5.0 * n**0.5 for n in (10, 40, 90)})
    assert inputs.pool_seconds(1_000) == pytest.approx(5.0 * 1_000**0.5)


def test_assumptions_are_changed_by_name() -> None:
    assert assumed(["series_median=40", "series_most=99"]) == replace(
        GIVEN, series_median=40.0, series_most=99
    )
    with pytest.raises(AssumptionUnknown, match="serie_median"):
        assumed(["serie_median=40"])
    assert set(ASSUMED) <= {field.name for field in fields(Assumptions)}


def test_tenants_are_as_large_as_assumed() -> None:
    tenants = draw_tenants(4_000, GIVEN)
    sizes = [len(each.series) for each in tenants]
    assert np.median(sizes) == pytest.approx(GIVEN.series_median, rel=0.05)
    assert np.mean(sizes) == pytest.approx(mean_series(GIVEN), rel=0.02)
    assert max(sizes) <= GIVEN.series_most
    high = sum(each.series.count("high") for each in tenants) / sum(sizes)  # type: ignore[arg-type]
    assert high == pytest.approx(GIVEN.share_high, abs=0.01)


def test_a_day_that_begins_at_its_lull_holds_the_same_jobs() -> None:
    asked = jobs_of_a_day(draw_tenants(50, GIVEN), GIVEN)
    moved = from_the_lull(asked)
    assert sorted(job.series for job in moved) == sorted(job.series for job in asked)
    assert all(0 <= job.at < 86_400 for job in moved)


def test_the_fewest_slots_are_found() -> None:
    tried: list[int] = []

    def attempt(slots: int) -> int:
        tried.append(slots)
        return slots

    assert fewest(attempt, lambda slots: slots >= 37) == 37  # type: ignore[arg-type, type-var]
    assert len(tried) <= 12


def test_the_planned_day_meets_its_targets_and_has_nothing_to_spare(day: Day) -> None:
    assert meets(day, GIVEN)
    assert day.course.series == sum(len(job.asked.series) for job in day.course.jobs)


def test_twice_the_tenants_ask_for_twice_as_much_of_what_is_theirs(day: Day) -> None:
    one, two = (sized(day, many, INPUTS, GIVEN) for many in (10_000, 20_000))
    for name in ("training", "imports", "reads", "leader's turns"):
        assert two.load.db_cores[name] == pytest.approx(2 * one.load.db_cores[name])
    assert two.kept.disk_gb == pytest.approx(2 * one.kept.disk_gb)
    # This grows faster than tenants do: every look reads all of them, and more looks are needed.
    looks = "leader's looks"
    assert two.load.db_cores[looks].max() > 2.5 * one.load.db_cores[looks].max()


def test_what_asks_adds_up_over_the_day(day: Day) -> None:
    load = sized(day, 60, INPUTS, GIVEN).load
    trained = load.db_cores["training"].sum() * 300
    series, jobs = day.course.series, len(day.course.jobs)
    expected = series * INPUTS.of("series_db_ms") + jobs * INPUTS.of("job_db_ms")
    assert trained == pytest.approx(expected / 1000)
    reads = load.db_cores["reads"].sum() * 300
    assert reads == pytest.approx(day.series * GIVEN.reads_a_series * INPUTS.of("read_db_ms") / 1e3)
    assert (
        load.peak(load.db_cores)
        == total(load.db_cores).max()
        >= max(curve.max() for curve in load.db_cores.values())
    )


def test_what_is_kept_is_what_came_within_its_time() -> None:
    stored = kept(100, 10, 50, INPUTS, GIVEN)
    assert stored.rows["sales"] == 100 * GIVEN.history_days
    assert stored.rows["forecasts"] == 50 * GIVEN.model_days * 28
    assert stored.rows["tasks"] == 50 * 90
    sales = 100 * GIVEN.history_days * INPUTS.of("sales_row_bytes") * GIVEN.bloat / 1e9
    assert stored.tables["sales"] == pytest.approx(sales)


def test_a_month_is_the_sum_of_its_parts(day: Day) -> None:
    at = sized(day, 1_000, INPUTS, GIVEN)
    month = month_of(at.load, at.kept, GIVEN)
    assert month.workers == pytest.approx(at.load.fleet.slots * GIVEN.core_month)
    parts = (month.workers, month.apis, month.database, month.disk, month.objects, month.requests)
    assert month.all == pytest.approx(sum(parts))


def test_more_cells_carry_what_one_database_does_not(day: Day) -> None:
    days = Days(INPUTS, GIVEN)
    first = min(days.breaks(60).values())
    assert cells_of(60, days) == 1
    found = rung(60, days, INPUTS, GIVEN)
    assert (found.tenants, found.cells, found.series) == (60, 1, day.series)
    assert found.nearest_used < 1
    assert first == min(breaks_of(day, INPUTS, GIVEN).values())


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_limit_is_reached_where_it_is_said_to_break(day: Day, limit) -> None:  # type: ignore[no-untyped-def]
    at = breaks_at(limit, day, INPUTS, GIVEN)
    if at < MOST_TENANTS:
        assert limit.used(sized(day, at, INPUTS, GIVEN), INPUTS, GIVEN) >= 1
        assert limit.used(sized(day, at * 9 // 10, INPUTS, GIVEN), INPUTS, GIVEN) < 1


def test_every_alert_and_metric_that_is_a_sign_is_there() -> None:
    rules = yaml.safe_load((ROOT / "infrastructure/observability/alerts.yaml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    signs = " ".join(f"{limit.sign} {limit.then}" for limit in LIMITS)
    assert set(re.findall(r"\bMorrow[A-Z]\w+", signs)) <= alerts
    metrics = {each.name for each in read_catalogue()}
    assert {name.removesuffix("_total") for name in re.findall(r"\bmorrow_\w+", signs)} <= {
        name.removesuffix("_total") for name in metrics
    }


def test_doubling_what_a_core_costs_moves_the_cost_and_no_limit(day: Day) -> None:
    names = ("core_month", "train_cpu_s")
    swings = tornado(day, 5_000, INPUTS, GIVEN, lambda: None, names)
    by_name = {swing.name: swing for swing in swings}
    dearer = by_name["core_month"]
    assert dearer.cost[1] > 1 > dearer.cost[0]
    assert dearer.breaks == (1.0, 1.0)
    assert by_name["train_cpu_s"].cost[1] > 1


@pytest.mark.parametrize("name", SWUNG)
def test_what_is_halved_and_doubled_was_measured(name: str) -> None:
    assert INPUTS.scaled(name, 2) != INPUTS
