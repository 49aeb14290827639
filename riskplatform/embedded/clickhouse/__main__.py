"""`python -m riskplatform.embedded.clickhouse`: the embedded ClickHouse server."""

import argparse
import json
import logging
import os
import resource
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path

from riskplatform.embedded.clickhouse.conversation import Host
from riskplatform.embedded.clickhouse.engine import Engine
from riskplatform.embedded.clickhouse.folder import SourceAccess, open_folder
from riskplatform.embedded.clickhouse.guard import Guard
from riskplatform.embedded.clickhouse.lexemes import Lexer
from riskplatform.embedded.clickhouse.server import ClickHouseListener
from riskplatform.embedded.clickhouse.watcher import Watcher
from riskplatform.embedded.errors import EmbeddedServerError
from riskplatform.env import env_list, env_secret

logger = logging.getLogger("riskplatform.embedded.clickhouse")

MAX_OPEN_FILES = 65_536


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    _allow_many_files()
    try:
        _serve(options)
    except EmbeddedServerError as error:
        logger.error("%s", error.message)  # noqa: TRY400 - a sentence, not a traceback
        return 1
    return 0


def _serve(options: argparse.Namespace) -> None:
    access = SourceAccess(env_list("CLICKHOUSE_EMBEDDED_SOURCES"))
    folder = open_folder(options.data, fsync=options.fsync, access=access)
    engine = Engine(
        folder.engine,
        configuration=folder.configuration,
        max_execution_s=options.max_execution_time,
    )
    # An engine that is open when the process ends may take it down with it.
    with closing(engine), closing(Lexer(engine)) as lexer:
        if options.database != "default":
            engine.create_database(options.database)
        host = Host(
            engine=engine,
            watcher=Watcher(engine),
            lexer=lexer,
            guard=Guard(lexer, access),
            incoming=folder.incoming,
            user=options.user,
            password=_password(options.password_env),
        )
        server = ClickHouseListener(
            host,
            address=(options.host, options.port),
            max_connections=options.max_connections,
        )
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
        server.start()
        _report_ready(server, engine, options)
        stop.wait()
        logger.info("embedded ClickHouse server stops")
        server.stop()


def _allow_many_files() -> None:
    """Raise the soft limit: parts of tables and clients each hold files open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, MAX_OPEN_FILES), hard))


def _password(variable: str | None) -> str:
    if variable is None:
        return ""
    password = env_secret(variable)
    if password is None:
        raise EmbeddedServerError(
            f"{variable} holds no password. Set it, or leave out --password-env.",
            variable=variable,
        )
    return password


def _report_ready(
    server: ClickHouseListener, engine: Engine, options: argparse.Namespace
) -> None:
    host, port = server.address
    logger.info(
        "embedded ClickHouse server (engine %s inside this process, for one machine) "
        "serves %s on %s:%s",
        engine.version,
        options.data,
        host,
        port,
    )
    if options.ready_file is not None:
        facts = {"host": host, "port": port, "pid": os.getpid()}
        # Written beside and renamed, so that the file is whole once it exists.
        draft = options.ready_file.with_suffix(".draft")
        draft.write_text(json.dumps(facts), encoding="utf-8")
        draft.replace(options.ready_file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m riskplatform.embedded.clickhouse",
        description="Serves the embedded ClickHouse engine to this machine.",
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of the data")
    add("--host", default="127.0.0.1", help="loopback address to listen on")
    add("--port", type=int, default=9000, help="port; 0 takes a free one")
    add("--user", default="default", help="the one user name that may connect")
    add("--password-env", metavar="NAME", help="variable holding the password")
    add("--database", default="default", help="database to create if missing")
    add("--max-connections", type=int, default=256, help="clients at a time")
    add("--max-execution-time", type=int, default=300, help="seconds a query may take")
    add(
        "--fsync",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write inserts to the disk itself before acknowledging them",
    )
    add("--ready-file", type=Path, help="file to write once clients may connect")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
