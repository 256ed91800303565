"""How much a database does for an answer, by counting and not by a clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event


class Work:
    """What a database is asked, and, where it counts them (SQLite), in how many steps it answers."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.steps = 0
        self._counting: set[Any] = set()

    def begin(self, connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        self.statements.append(statement)
        if connection.dialect.name == "sqlite":  # each instruction of its machine, but for reading nodes of the R*Tree
            driver = connection.connection.driver_connection
            self._counting.add(driver)
            driver.set_progress_handler(None if "FROM readable_box" in statement else self._step, 1)

    def end(self) -> None:
        for driver in self._counting:
            driver.set_progress_handler(None, 1)

    def _step(self) -> int:
        self.steps += 1
        return 0


@contextmanager
def work_of(store: Any) -> Iterator[Work]:
    """Count what is done in the block."""
    work, engine = Work(), store._database.engine
    event.listen(engine, "before_cursor_execute", work.begin)
    try:
        yield work
    finally:
        event.remove(engine, "before_cursor_execute", work.begin)
        work.end()
