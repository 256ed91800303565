"""A disk that is full for real: the system refuses writes beyond a size, to this process and its children."""

import contextlib
import resource


@contextlib.contextmanager
def full_after(size):
    """No file may grow beyond `size` bytes. (Python ignores SIGXFSZ, so that writing raises.)"""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
