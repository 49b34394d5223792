"""`contactor campaign`: have cars record more than their usual rows.

contactor campaign start cells.toml
contactor campaign list
contactor campaign show 5f0c9a3e7b124d68
contactor campaign stop 5f0c9a3e7b124d68
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from contactor.app.output import print_json, print_table
from contactor.app.settings import add_data_option

if TYPE_CHECKING:
    from contactor.cloud.campaigns.told import CampaignNow, VehicleProgress

LISTED = ("id", "name", "state", "vehicles", "triggered", "rows", "dropped", "until")
SHOWN = ("vehicle_id", "state", "triggered", "rows", "dropped", "last_trigger", "reason")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="every campaign, newest first")
    started = actions.add_parser("start", help="start what a file asks for")
    started.add_argument("file", metavar="FILE", type=Path, help="TOML, or JSON if named .json")
    stopped = actions.add_parser("stop", help="stop one")
    shown = actions.add_parser("show", help="one, and where it stands in each of its vehicles")
    for action in (stopped, shown):
        action.add_argument("id", metavar="ID", help="as list and start say it")
    for action in (listed, started, stopped, shown):
        add_data_option(action)
        action.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    from contactor.app.campaigns import open_campaigns
    from contactor.cloud.campaigns.request import read_request

    if args.action == "start":
        request = read_request(args.file)
        return _print([open_campaigns(args.data).start(request)], is_json=args.json)
    campaigns = open_campaigns(args.data)
    if args.action == "stop":
        return _print([campaigns.stop(args.id)], is_json=args.json)
    if args.action == "show":
        return _show(*campaigns.show(args.id), is_json=args.json)
    found = campaigns.all()
    if args.json:
        print_json(found)
        return 0
    return _print(found, is_json=False)


def _print(campaigns: "Sequence[CampaignNow]", *, is_json: bool) -> int:
    if is_json:
        print_json(campaigns[0])
        return 0
    if not campaigns:
        print("no campaigns")
        return 0
    print_table(LISTED, [[getattr(one, name) for name in LISTED] for one in campaigns])
    return 0


def _show(campaign: "CampaignNow", progress: "Sequence[VehicleProgress]", *, is_json: bool) -> int:
    if is_json:
        print_json({**msgspec.structs.asdict(campaign), "progress": progress})
        return 0
    _print([campaign], is_json=False)
    print()
    heads = [name.replace("_", " ") for name in SHOWN]
    print_table(heads, [[getattr(one, name) for name in SHOWN] for one in progress])
    return 0
