"""Programs that run beside a test."""

import signal
import subprocess
from types import TracebackType

__all__ = ["Program", "heed_signals"]


class Program(subprocess.Popen):
    """A process that does not outlive a test that failed: Popen would wait for what nobody told it to do."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)


def heed_signals() -> None:
    """Let programs that tests start hear Ctrl-C and a terminal that closes, though this run does not.

    Whoever starts the tests with ``nohup``, or behind a script, has both ignored, and what is ignored stays so in every
    program that is started from there.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda _number, _frame: None)  # the run itself goes on, as it was told
