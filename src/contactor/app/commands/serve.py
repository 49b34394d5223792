"""`contactor serve`: the cloud alone: ingest, lake and API, over its own broker or another."""

import argparse
import os

from contactor.app.ages import tell_environment
from contactor.app.cloud import serve_cloud
from contactor.app.database_place import add_database_option, settle_database
from contactor.app.folder import DataFolder
from contactor.app.instance import Instance, run_instance
from contactor.app.lake_place import add_lake_option, settle_lake
from contactor.app.link_host import add_link_host_options, link_host_of
from contactor.app.listening import (
    Listening,
    add_listening_options,
    check_listening,
    chosen_listening,
    listening_of,
)
from contactor.app.locks import alone, shared
from contactor.app.serving import Serving
from contactor.app.settings import add_data_option, add_option, add_upkeep_options
from contactor.errors import UsageError
from contactor.link.nats.address import read_addresses


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_option(
        parser, "--link", metavar="URL", help="a broker's url, or a cluster's; default: start one"
    )
    add_option(
        parser,
        "--ingest",
        choices=("all", "none"),
        default="all",
        help="store what all cars send, or nothing: `contactor ingest` does; default all",
    )
    add_data_option(parser)
    add_lake_option(parser)
    add_database_option(parser)
    add_listening_options(parser)
    add_link_host_options(parser)
    add_upkeep_options(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    check_listening(args)
    tell_environment(args)
    if args.link:
        read_addresses(args.link)
    if args.link and args.link_host and not os.environ.get("CONTACTOR_SUPERVISED"):
        raise UsageError("--link-host is for a broker of one's own; allowed: it, or --link")
    if args.ingest == "none" and not args.link:
        raise UsageError("--ingest none needs --link: the broker that the ingests are at")
    folder = DataFolder.create(args.data)
    if args.ingest == "none":
        settle_lake(folder, args.lake)
        settle_database(folder, args.database)
        with shared(folder), alone(folder, "serve.lock"):
            serving = _serving(args, listening_of(args), has_ingest=False)
            return serve_cloud(folder, link=args.link, serving=serving)
    if os.environ.get("CONTACTOR_SUPERVISED"):
        serving = _serving(args, chosen_listening(args), has_gate=True, is_supervised=True)
        return serve_cloud(folder, link=args.link, serving=serving)
    with folder.held():
        settle_lake(folder, args.lake)
        settle_database(folder, args.database)
        listening = listening_of(args)
        if args.link:
            return serve_cloud(folder, link=args.link, serving=_serving(args, listening))
        link_host, link_port = link_host_of(args)
        instance = Instance(
            listening, has_login=not args.no_auth, link_host=link_host, link_port=link_port
        )
        return run_instance(folder, instance)


def _serving(args: argparse.Namespace, listening: Listening, **more: bool) -> Serving:
    return Serving(listening, has_login=not args.no_auth, **more)
