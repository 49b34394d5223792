"""`contactor battery`: what a car's battery still holds, and how sure that is."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from contactor.app.certificate import check_ending, write_certificate
from contactor.app.fact_options import add_fact_options, asked_of, print_csv, sparkline
from contactor.app.output import print_json
from contactor.app.query import only_vehicle, open_query


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_fact_options(parser, has_span=False)
    parser.add_argument(
        "--certificate", metavar="FILE", type=Path, help="write it as .html or .pdf as well"
    )


def run(args: argparse.Namespace) -> int:
    """Print the battery's capacity and health."""
    if args.certificate is not None:
        check_ending(args.certificate)
    asked, query = asked_of(args), open_query(args.data)
    told = query.battery(asked.vehicle or only_vehicle(query))
    if args.certificate is not None:
        write_certificate(args.certificate, told)
    if args.json:
        print_json(told)
    elif args.csv:
        history = told["history"]
        assert isinstance(history, list)
        print_csv(history)
    else:
        _show(told)
    return 0


def _show(told: Mapping[str, object]) -> None:
    print(told["vehicle_id"])
    if told["capacity_kwh"] is None:
        print("  capacity     not known yet: no drive or charge tells it")
    else:
        width = told["capacity_uncertainty_kwh"]
        print(
            f"  capacity     {told['capacity_kwh']:.4g} ± {width:.2g} kWh (95 %),"
            f" from {told['sessions_used']} drives and charges, {told['method']}"
        )
    if told["state_of_health_pct"] is not None:
        new = "as first measured" if told["is_new_measured"] else "new"
        print(
            f"  health       {told['state_of_health_pct']:.1f} %"
            f" of {told['new_capacity_kwh']:.4g} kWh {new}"
        )
    history = told["history"]
    if isinstance(history, list) and len(history) > 1:
        least = min(point["low_kwh"] for point in history)
        print(f"  history      {sparkline([p['capacity_kwh'] - 0.9 * least for p in history])}")
    _show_inner(told)


def _show_inner(told: Mapping[str, object]) -> None:
    resistance, cells, use = told["resistance"], told["cells"], told["use"]
    if isinstance(resistance, Mapping):
        milliohm = 1000 * resistance["ohm"]
        print(f"  resistance   {milliohm:.1f} mΩ from {resistance['steps_used']} steps")
    if isinstance(cells, Mapping):
        outliers = ", ".join(str(one["cell"]) for one in cells["outliers"]) or "none"
        spread = cells["spread_mv"]
        print(f"  cells        {cells['cells']}, {spread:.1f} mV apart; outliers: {outliers}")
    if isinstance(use, Mapping):
        cycles = use["full_cycles"]
        told_cycles = "" if cycles is None else f", {cycles:.1f} full cycles"
        print(f"  use          {use['days']} days, {use['given_kwh']:.1f} kWh given{told_cycles}")
