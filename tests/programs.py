"""Programs that run beside a test."""

import subprocess
from types import TracebackType

__all__ = ["Program"]


class Program(subprocess.Popen):
    """A process that does not outlive a test that failed: Popen would wait for what nobody told it to do."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)
