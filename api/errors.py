"""Errors of ``api``.

::

    VedetteError
    └── ApiError                     anything this package refuses; the service answers with STATUS[type]
        ├── BadRequestError          a query that cannot be understood (OGC API asks for this status)         400
        ├── AuthenticationError      no key, or a key that is unknown, revoked or expired                     401
        │   └── WrongCertificateError  a key that is bound to another certificate than the connection has     401
        ├── PermissionDeniedError    the role, or what the key is narrowed to, may not do this                403
        │   └── PasswordChangeError  a one-time secret opens nothing but its own replacement                  403
        ├── NotFoundError            no such object, or none that this key may know of                        404
        ├── NotAcceptableError       no format that is served is among those that were asked for              406
        ├── ConflictError            the request contradicts what is stored                                   409
        │   └── NotReleasableError   the release policy forbids it; the message lists each reason             409
        ├── StaleError               If-Match names a state that is no longer the current one                 412
        ├── TooLargeError            a body over the limit                                                    413
        ├── UnprocessableError       well formed, but the content is wrong                                    422
        │   └── MalformedError       JSON that cannot be taken; says in which member                          422
        ├── PreconditionError        If-Match is missing                                                      428
        ├── RateLimitedError         too many requests, or wrong passwords; carries when to try again         429
        ├── ProviderError            the identity provider cannot be reached or does not answer as one        502
        ├── StorageError             the store or the object folder cannot be written or opened               503
        ├── AuditTamperedError       the audit chain is broken; names the first entry that does not fit       500
        ├── OutletError              a TAK server or broker that is pushed to is away            (beside the routes)
        ├── SettingsError            settings that cannot work                                   (before start)
        ├── ClientError              the service could not be reached or did not answer as one     (client side)
        │   └── RefusedError         the service answered with a problem; carries status and detail (client side)
        ├── SpoolError               the spool folder cannot be used                               (client side)
        └── ReportError              a report that cannot be written
"""

from __future__ import annotations

from geo import VedetteError

__all__ = [
    "STATUS",
    "ApiError",
    "AuditTamperedError",
    "AuthenticationError",
    "BadRequestError",
    "ClientError",
    "ConflictError",
    "MalformedError",
    "NotAcceptableError",
    "NotFoundError",
    "NotReleasableError",
    "OutletError",
    "PasswordChangeError",
    "PermissionDeniedError",
    "PreconditionError",
    "ProviderError",
    "RateLimitedError",
    "RefusedError",
    "ReportError",
    "SettingsError",
    "SpoolError",
    "StaleError",
    "StorageError",
    "TooLargeError",
    "UnprocessableError",
    "WrongCertificateError",
    "status_of",
]


class ApiError(VedetteError):
    """Anything that ``api`` refuses."""


class BadRequestError(ApiError):
    """A query that cannot be understood: an unknown parameter, a filter that does not parse."""


class NotAcceptableError(ApiError):
    """No format that is served is among those that were asked for."""


class AuthenticationError(ApiError):
    """No key, or a key that is unknown, revoked or expired."""


class WrongCertificateError(AuthenticationError):
    """A key that is bound to a certificate came without it: stolen, or its holder's set-up is wrong.

    Parameters
    ----------
    key_id
        The key's public id.
    """

    def __init__(self, message: str, key_id: str) -> None:
        super().__init__(message)
        self.key_id = key_id


class PermissionDeniedError(ApiError):
    """The role, or what the key is narrowed to, may not do this."""


class PasswordChangeError(PermissionDeniedError):
    """A one-time secret opens nothing but its own replacement."""


class NotFoundError(ApiError):
    """No such object, or none that this key may know of: the two are told apart for nobody."""


class ConflictError(ApiError):
    """The request contradicts what is stored."""


class NotReleasableError(ConflictError):
    """The release policy forbids this release.

    Parameters
    ----------
    reasons
        Every rule that refuses, one line each.
    """

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("not releasable: " + "; ".join(reasons))
        self.reasons = reasons


class StaleError(ApiError):
    """If-Match names a state that is no longer the current one."""


class TooLargeError(ApiError):
    """A body over the limit."""


class UnprocessableError(ApiError):
    """Well formed, but the content is wrong."""


class MalformedError(UnprocessableError):
    """JSON that cannot be taken as it is.

    Parameters
    ----------
    what
        What is wrong there.
    steps
        Where: names of members and places in lists, from the outermost; () is the whole.
    """

    def __init__(self, what: str, steps: tuple[str, ...] = ()) -> None:
        super().__init__(f"{'/'.join(('#', *steps))}: {what}")
        self.what = what
        self.steps = steps


class PreconditionError(ApiError):
    """If-Match is missing."""


class RateLimitedError(ApiError):
    """Too many requests, or too many wrong passwords.

    Parameters
    ----------
    message
        What was too much.
    retry_in_s
        Seconds after which it is worth trying again.
    """

    def __init__(self, message: str, retry_in_s: float) -> None:
        super().__init__(message)
        self.retry_in_s = retry_in_s


class ProviderError(ApiError):
    """The identity provider cannot be reached, or what it says is not what a provider says."""


class StorageError(ApiError):
    """The store or the object folder cannot be opened or written."""


class AuditTamperedError(ApiError):
    """The audit chain is broken.

    Parameters
    ----------
    message
        What does not fit, and where.
    seq
        The first entry that does not fit.
    """

    def __init__(self, message: str, seq: int) -> None:
        super().__init__(message)
        self.seq = seq


class OutletError(ApiError):
    """A TAK server or broker that is pushed to could not be reached, or did not take what it was sent."""


class SettingsError(ApiError):
    """Settings that cannot work."""


class ClientError(ApiError):
    """The service could not be reached, or what answered is not this service. The message names the URL."""


class RefusedError(ClientError):
    """The service answered with a problem (RFC 9457).

    Parameters
    ----------
    message
        One line for a person.
    status
        HTTP status.
    detail
        The `detail` member of the problem.
    """

    def __init__(self, message: str, *, status: int, detail: str) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


class SpoolError(ApiError):
    """The spool folder cannot be used."""


class ReportError(ApiError):
    """A report that cannot be written."""


STATUS: dict[type[ApiError], tuple[int, str, str]] = {
    BadRequestError: (400, "bad-request", "The request cannot be understood"),
    AuthenticationError: (401, "authentication", "A key is needed"),
    PasswordChangeError: (403, "password-change", "The one-time secret must be replaced"),
    PermissionDeniedError: (403, "permission", "This key's role may not do this"),
    NotFoundError: (404, "not-found", "Not found"),
    NotAcceptableError: (406, "not-acceptable", "No such format"),
    NotReleasableError: (409, "not-releasable", "The release policy forbids this"),
    ConflictError: (409, "conflict", "Contradicts what is stored"),
    StaleError: (412, "stale", "The state has changed"),
    TooLargeError: (413, "too-large", "Body over the limit"),
    UnprocessableError: (422, "invalid", "The content is wrong"),
    PreconditionError: (428, "precondition", "If-Match is needed"),
    RateLimitedError: (429, "rate-limit", "Too many requests"),
    ProviderError: (502, "provider", "The identity provider cannot be reached"),
    StorageError: (503, "storage", "The store cannot serve now"),
}
"""Exception -> (HTTP status, problem slug, title). A type that is not here answers 500 without its message."""


def status_of(error: ApiError) -> tuple[int, str, str]:
    """HTTP status, problem slug and title of an error: those of its nearest ancestor in `STATUS`, else 500."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500, "internal", "Internal error"
