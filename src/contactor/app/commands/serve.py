"""`contactor serve`: the cloud alone: ingest, lake and API, over its own broker or another."""

import argparse
import os

from contactor.app.cloud import Serving, serve_cloud
from contactor.app.database_place import add_database_option, settle_database
from contactor.app.folder import DataFolder
from contactor.app.instance import Instance, free_port, run_instance
from contactor.app.lake_place import add_lake_option, settle_lake
from contactor.app.locks import alone, shared
from contactor.app.settings import (
    add_data_option,
    add_option,
    add_server_options,
    add_upkeep_options,
    check_host,
)
from contactor.app.upkeep import tell_environment
from contactor.errors import UsageError
from contactor.link.nats.connection import read_addresses


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
    add_server_options(parser)
    add_upkeep_options(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    check_host(args.host)
    tell_environment(args)
    if args.link:
        read_addresses(args.link)
    if args.ingest == "none" and not args.link:
        raise UsageError("--ingest none needs --link: the broker that the ingests are at")
    folder = DataFolder.create(args.data)
    if args.ingest == "none":
        settle_lake(folder, args.lake)
        settle_database(folder, args.database)
        with shared(folder), alone(folder, "serve.lock"):
            port = free_port(args.host, args.port)
            return serve_cloud(
                folder, link=args.link, serving=_serving(args, port, has_ingest=False)
            )
    if os.environ.get("CONTACTOR_SUPERVISED"):
        serving = _serving(args, args.port, has_gate=True, is_supervised=True)
        return serve_cloud(folder, link=args.link, serving=serving)
    with folder.held():
        settle_lake(folder, args.lake)
        settle_database(folder, args.database)
        port = free_port(args.host, args.port)
        if args.link:
            return serve_cloud(folder, link=args.link, serving=_serving(args, port))
        instance = Instance(
            host=args.host, port=port, has_login=not args.no_auth, public_url=args.public_url
        )
        return run_instance(folder, instance)


def _serving(args: argparse.Namespace, port: int, **more: bool) -> Serving:
    return Serving(
        host=args.host,
        port=port,
        has_login=not args.no_auth,
        public_url=args.public_url,
        **more,
    )
