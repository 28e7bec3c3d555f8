"""What `morrow up` does, in order."""

import time
from collections.abc import Mapping
from contextlib import ExitStack

from services.training.up.address import Address, PortTaken, address_of, listen, unreadiness
from services.training.up.database import open_database
from services.training.up.fleet import Fleet, ProgramFailed, open_fleet, say
from services.training.up.home import Home, open_home
from services.training.up.options import UpOptions
from services.training.up.programs import migrate_program, serve_program, worker_program
from shared.directory_lock import DirectoryLocked
from shared.metrics_server import MetricsPortTaken, serve_metrics
from shared.postgres.errors import PostgresUnavailable
from shared.processes.signals import SignalInbox
from shared.processes.strangers import adopt_strangers
from shared.processes.supervised import SupervisedChild
from shared.secret_file import SecretRefused

LARGEST_PORT = 65535


class BadMetricsPort(Exception):
    def __init__(self, value: str) -> None:
        self.value = value
        super().__init__(f"MORROW_METRICS_PORT={value!r} is not a number from 0 to {LARGEST_PORT}")


class NeverReady(Exception):
    """Morrow did not come up; the message holds what is known of the reason."""


REFUSALS = (
    *(DirectoryLocked, PortTaken, MetricsPortTaken, SecretRefused, PostgresUnavailable),
    *(BadMetricsPort, ProgramFailed, NeverReady, OSError),
)


def run_up(options: UpOptions, environ: Mapping[str, str]) -> int:
    """Run everything until SIGTERM or SIGINT; the exit status: 0 stopped as told, 1 it failed.

    To be called from the main thread, outside any event loop. When it returns, nothing that it
    started is running. Prints to standard output the address of the metrics, where the operator
    key is kept, and, once `/health/ready` answers 200, `ready http://host:port`; everything else,
    with the logs of the children, goes to standard error.
    """
    with SignalInbox() as inbox:
        try:
            _run(options, environ, inbox)
        except REFUSALS as error:
            say(str(error))
            return 1
    return 0


def _run(options: UpOptions, environ: Mapping[str, str], inbox: SignalInbox) -> None:
    adopt_strangers()
    with ExitStack() as held:
        home = held.enter_context(open_home(options.data_dir))
        listening = held.enter_context(listen(options.host, options.port))
        address = address_of(listening)
        metrics_url = held.enter_context(serve_metrics(home.metrics, _metrics_port(environ)))
        database = held.enter_context(open_database(options, home.postgres, environ))
        fleet = held.enter_context(open_fleet(database, options, inbox, home.metrics))
        fleet.finish(migrate_program(options, environ, home, database))
        if inbox.stop_requests:
            return
        fleet.start(serve_program(options, environ, home, database, listening))
        fleet.start(worker_program(options, environ, home, database))
        _announce(home, environ, metrics_url)
        _await_ready(fleet, address, options, inbox)
        while not inbox.stop_requests:
            fleet.tend()


def _metrics_port(environ: Mapping[str, str]) -> int:
    value = environ.get("MORROW_METRICS_PORT") or "0"
    if not (value.isdecimal() and int(value) <= LARGEST_PORT):
        raise BadMetricsPort(value)
    return int(value)


def _announce(home: Home, environ: Mapping[str, str], metrics_url: str) -> None:
    given = environ.get("MORROW_OPERATOR_KEY")
    print(f"metrics {metrics_url}", flush=True)
    print(f"operator key in {'MORROW_OPERATOR_KEY' if given else home.operator_key}", flush=True)


def _await_ready(fleet: Fleet, address: Address, options: UpOptions, inbox: SignalInbox) -> None:
    deadline = time.monotonic() + options.ready_seconds
    while not inbox.stop_requests:
        reason = unreadiness(address)
        if reason is None:
            print(f"ready {address.url}", flush=True)
            return
        fleet.tend()
        for child in fleet.children:
            if child.deaths >= options.attempts:
                raise _gave_up(child)
        if time.monotonic() > deadline:
            raise NeverReady(f"not ready after {options.ready_seconds:g} s: {reason}")


def _gave_up(child: SupervisedChild) -> NeverReady:
    return NeverReady(
        f"{child.program.name} ended {child.deaths} times before it was ready; it last said:\n"
        f"{child.last_lines()}"
    )
