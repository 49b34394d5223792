"""What a certificate of a battery says: numbers, plain words, and charts as data. Pure.

    certificate = certificate_of("demo", report, made_ns=now_ns)
    certificate.headlines[0]            # Headline("Usable capacity", "77.9 kWh", "95 % band ...")

How it looks is for those who draw it: every chart is points or bars, every text is in its language.
"""

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise

from contactor.history.battery.evidence import CHARGE_EDGES_PCT, WARMTH_EDGES_DEGC
from contactor.history.battery.report import (
    BatteryReport,
    CapacityPoint,
    CellSpread,
    ForecastPoint,
    Method,
)
from contactor.history.battery.words import ENGLISH, Words

YEAR_NS = 365.25 * 86_400e9
RESISTANCES_MAX = 300


@dataclass(frozen=True, slots=True)
class Headline:
    """One number in large."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Values over time; low and high are its band, where it has one, (n,) each.

    Fields:
        ahead: the points of it that are expected, not measured, at its end.
        level, level_label: a line across.
        is_scattered: points that are not joined.
    """

    title: str
    note: str
    ts_ns: tuple[int, ...]
    values: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    ahead: int = 0
    level: float | None = None
    level_label: str = ""
    is_scattered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A value for each label; `marked` are those that stand out."""

    title: str
    note: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    marked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A whole certificate, in the order in which it is read."""

    language: str
    title: str
    car: str
    heads: tuple[tuple[str, str], ...]
    verdict: tuple[str, ...]
    headlines: tuple[Headline, ...]
    charts: tuple[Curve | Bars, ...]
    figures_title: str
    figures: tuple[tuple[str, str], ...]
    method_title: str
    method: tuple[str, ...]
    limits_title: str
    limits: tuple[str, ...]
    foot: str


def certificate_of(
    vehicle_id: str,
    report: BatteryReport,
    *,
    made_ns: int,
    name: str | None = None,
    words: Words = ENGLISH,
) -> Certificate:
    """The certificate of a report.

    Args:
        made_ns: now.
        name: of the car, in place of its id.
        words: of the language.
    """
    car = name or vehicle_id
    heads = [(words["car"], car), (words["made"], _date(made_ns))]
    if report.since_ns is not None and report.until_ns is not None:
        span = words["span_value"].format(
            since=_date(report.since_ns), until=_date(report.until_ns)
        )
        heads.append((words["span"], span))
    return Certificate(
        language=words["language"],
        title=words["title"],
        car=car,
        heads=tuple(heads),
        verdict=_verdict(report, words),
        headlines=_headlines(report, words),
        charts=_charts(report, words),
        figures_title=words["figures"],
        figures=_figures(report, words),
        method_title=words["method"],
        method=_method(report, words),
        limits_title=words["limits"],
        limits=_limits(report, words),
        foot=words["foot"].format(vehicle=vehicle_id),
    )


def _verdict(report: BatteryReport, words: Words) -> tuple[str, ...]:
    if report.capacity_kwh is None or report.capacity_uncertainty_kwh is None:
        return (words["verdict_none"],)
    half = report.capacity_uncertainty_kwh
    first = words["verdict"].format(
        capacity=_energy(report.capacity_kwh),
        low=_energy(report.capacity_kwh - half),
        high=_energy(report.capacity_kwh + half),
    )
    if report.state_of_health_pct is None:
        return (first,)
    key = "verdict_measured" if report.is_new_measured else "verdict_health"
    return first, words[key].format(health=f"{report.state_of_health_pct:.0f}")


def _headlines(report: BatteryReport, words: Words) -> tuple[Headline, ...]:
    unknown = words["unknown"]
    if report.capacity_kwh is None or report.capacity_uncertainty_kwh is None:
        return (Headline(words["capacity"], unknown), Headline(words["health"], unknown))
    half = report.capacity_uncertainty_kwh
    band = words["band_note"].format(
        low=_energy(report.capacity_kwh - half), high=_energy(report.capacity_kwh + half)
    )
    found = [Headline(words["capacity"], f"{_energy(report.capacity_kwh)} kWh", band)]
    if report.state_of_health_pct is not None and report.new_capacity_kwh is not None:
        key = "of_new_measured" if report.is_new_measured else "of_new_given"
        note = words[key].format(new=_energy(report.new_capacity_kwh))
        found.append(Headline(words["health"], f"{report.state_of_health_pct:.1f} %", note))
    else:
        found.append(Headline(words["health"], unknown))
    found.append(Headline(words["sessions"], str(report.sessions_used), words["sessions_note"]))
    return tuple(found)


def _charts(report: BatteryReport, words: Words) -> tuple[Curve | Bars, ...]:
    charts: list[Curve | Bars] = []
    if len(report.history) > 1:
        charts.append(_capacity_curve(report, words))
    if report.cells is not None:
        charts.append(_cell_bars(report.cells, words))
    if report.use is not None:
        for key, share, edges in (
            ("charge", report.use.charge_share, CHARGE_EDGES_PCT),
            ("warmth", report.use.warmth_share, WARMTH_EDGES_DEGC),
        ):
            if share is not None:
                charts.append(
                    Bars(
                        title=words[f"chart_{key}"],
                        note=words[f"chart_{key}_note"],
                        labels=_buckets(edges),
                        values=tuple(100 * one for one in share),
                    )
                )
    if report.resistance is not None and len(report.resistance.history) > 1:
        points = report.resistance.history
        points = points[:: -(-len(points) // RESISTANCES_MAX)]
        charts.append(
            Curve(
                title=words["chart_resistance"],
                note=words["chart_resistance_note"],
                ts_ns=tuple(ts for ts, _ in points),
                values=tuple(1000 * ohm for _, ohm in points),
                is_scattered=True,
            )
        )
    return tuple(charts)


def _capacity_curve(report: BatteryReport, words: Words) -> Curve:
    # Half a year is as far as a graph of a month can look; years only where there are years.
    last_ns = report.history[-1].ts_ns
    seen_ns = last_ns - report.history[0].ts_ns
    ahead = [one for one in report.forecast if one.ts_ns - last_ns <= max(seen_ns, YEAR_NS)]
    points: list[CapacityPoint | ForecastPoint] = [*report.history, *ahead]
    return Curve(
        title=words["chart_capacity"],
        note=words["chart_capacity_note"],
        ts_ns=tuple(one.ts_ns for one in points),
        values=tuple(one.capacity_kwh for one in points),
        low=tuple(one.low_kwh for one in points),
        high=tuple(one.high_kwh for one in points),
        ahead=len(ahead),
        level=report.new_capacity_kwh,
        level_label=words["chart_first" if report.is_new_measured else "chart_new"],
    )


def _cell_bars(cells: CellSpread, words: Words) -> Bars:
    numbers = [one.cell for one in cells.outliers]
    key = ("none", "one", "many")[min(len(numbers), 2)]
    outliers = words[f"outliers_{key}"].format(cells=", ".join(map(str, numbers)))
    return Bars(
        title=words["chart_cells"],
        note=words["chart_cells_note"].format(count=cells.cells, outliers=outliers),
        labels=tuple(str(number + 1) for number in range(cells.cells)),
        values=cells.away_mv,
        marked=tuple(number - 1 for number in numbers),
    )


def _buckets(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Names of what lies between edges."""
    between = [f"{low:g}–{high:g}" for low, high in pairwise(edges)]
    return (f"< {edges[0]:g}", *between, f"> {edges[-1]:g}")


def _figures(report: BatteryReport, words: Words) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    if report.resistance is not None:
        one = report.resistance
        rows.append(
            (
                words["resistance"],
                words["resistance_value"].format(
                    ohm=f"{1000 * one.ohm:.1f}", uncertainty=f"{1000 * one.uncertainty_ohm:.1f}"
                ),
            )
        )
        if one.change_pct_per_year is not None:
            value = words["per_year"].format(value=f"{one.change_pct_per_year:+.1f}")
            rows.append((words["resistance_change"], value))
    if report.cells is not None:
        rows.append((words["spread"], f"{report.cells.spread_mv:.1f} mV"))
    if report.use is not None:
        use = report.use
        if use.full_cycles is not None:
            rows.append((words["cycles"], f"{use.full_cycles:.1f}"))
        value = words["given_value"].format(
            given=f"{use.given_kwh:,.0f}", taken=f"{use.taken_kwh:,.0f}"
        )
        rows.append((words["given"], value))
        if use.charge_mean_pct is not None:
            rows.append((words["mean_charge"], f"{use.charge_mean_pct:.0f} %"))
    rows.append((words["set_aside"], str(report.sessions_set_aside)))
    return (*rows, *_forecast_rows(report, words))


def _forecast_rows(report: BatteryReport, words: Words) -> tuple[tuple[str, str], ...]:
    until_ns = report.until_ns or 0
    return tuple(
        (
            words["forecast"].format(years=f"{(one.ts_ns - until_ns) / YEAR_NS:.0f}"),
            words["forecast_value"].format(
                capacity=_energy(one.capacity_kwh),
                low=_energy(one.low_kwh),
                high=_energy(one.high_kwh),
            ),
        )
        for one in report.forecast
        if one.ts_ns - until_ns > 1.5 * YEAR_NS
    )


def _method(report: BatteryReport, words: Words) -> tuple[str, ...]:
    if report.method is None:
        return (words["verdict_none"],)
    return (words[f"method_{report.method}"].format(count=report.sessions_used),)


def _limits(report: BatteryReport, words: Words) -> tuple[str, ...]:
    limits = [words["limit_sensor"]]
    if report.method is not Method.VOLTAGE_CURVE:
        limits.append(words["limit_charge"])
    limits += [words["limit_reserve"], words["limit_single"]]
    if report.since_ns is not None:
        limits.append(words["limit_before"].format(since=_date(report.since_ns)))
    if report.is_new_measured:
        limits.append(words["limit_new_measured"])
    limits.append(words["limit_unseen"])
    return tuple(limits)


def _energy(kwh: float) -> str:
    """Three digits, and no less than one behind the point."""
    return f"{kwh:.1f}" if kwh >= 10 else f"{kwh:.3g}"


def _date(ts_ns: int) -> str:
    return dt.datetime.fromtimestamp(ts_ns / 1e9, dt.UTC).date().isoformat()
