"""Jobs in PostgreSQL (Procrastinate), in a schema of their own beside the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.schema import SchemaManager

from api.errors import StorageError
from api.jobs.kinds import KINDS, arguments_of
from api.jobs.leases import Leases
from api.store.postgres import libpq_url, postgres_url

__all__ = ["JobLine", "add_job", "job_app", "list_jobs", "prepare_jobs"]

_SCHEMA = "jobs"
_OPTIONS = f"-c search_path={_SCHEMA},public -c timezone=UTC"
_LOCK = 0x76_64_74_6A_6F_62  # "vdtjob"
_TAKEN = {"todo", "doing"}


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job as a person asks for it.

    Parameters
    ----------
    number, kind, place
        Which it is.
    state
        todo, doing, succeeded, failed, ...
    tries
        How often it was begun and did not come to its end.
    worker
        Who has it.
    """

    number: int
    kind: str
    place: str
    state: str
    tries: int
    worker: int | None


def job_app(database: str) -> App:
    """Procrastinate on the store's database, for a worker."""
    app = App(connector=PsycopgConnector(conninfo=libpq_url(database), kwargs={"options": _OPTIONS}))
    app.job_manager = Leases(app.connector)
    return app


def prepare_jobs(database: str) -> None:
    """Make the tables of jobs where there are none.

    Raises
    ------
    StorageError
        When the database cannot be reached.
    """
    with _locked(database) as connection:
        if connection.execute("SELECT to_regclass('jobs.procrastinate_jobs')").fetchone() == (None,):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
            connection.execute(SchemaManager.get_schema())


def add_job(database: str, kind: str, place: str, options: Mapping[str, str]) -> int | None:
    """Hand a video to the workers; its number, or None where it is taken already.

    Parameters
    ----------
    database
        URL of the store.
    kind
        A name of `KINDS`.
    place
        File or address, as every worker reaches it.
    options
        Of `vedette watch`, without dashes.

    Raises
    ------
    UnprocessableError
        When an option is none of that kind.
    StorageError
        When the database cannot be reached.
    """
    arguments_of(KINDS[kind], place, options, out=Path(), url="")
    states = _TAKEN | ({"succeeded"} if KINDS[kind].once else set())
    prepare_jobs(database)
    with _locked(database) as connection:  # who else adds the same waits here
        query = "SELECT status::text FROM procrastinate_jobs WHERE task_name = %s AND lock = %s"
        if any(state in states for (state,) in connection.execute(query, (kind, place)).fetchall()):
            return None
        app = App(connector=SyncPsycopgConnector(conninfo=libpq_url(database), kwargs={"options": _OPTIONS}))
        with app.open():
            job = app.configure_task(kind, queue=kind, lock=place, allow_unknown=True)
            return job.defer(place=place, options=dict(options))


def list_jobs(database: str) -> list[JobLine]:
    """Every job, oldest first."""
    prepare_jobs(database)
    with _locked(database) as connection:
        query = "SELECT id, task_name, lock, status::text, attempts, worker_id FROM procrastinate_jobs ORDER BY id"
        return [JobLine(*row) for row in connection.execute(query).fetchall()]


@contextmanager
def _locked(database: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(libpq_url(database), options=_OPTIONS, connect_timeout=10) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            yield connection
    except psycopg.OperationalError as error:
        place = postgres_url(database).render_as_string(hide_password=True)
        raise StorageError(f"jobs at {place} cannot be reached: {' '.join(str(error).split())}") from error
