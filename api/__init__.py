"""The service: store, review, release to partners, audit; its client with the spool; and the report of a run."""

from api.app import create_app
from api.audit import AuditHead, verify_audit
from api.client import Client, SpoolReport
from api.errors import (
    ApiError,
    AuditTamperedError,
    AuthenticationError,
    ClientError,
    ConflictError,
    NotFoundError,
    NotReleasableError,
    PermissionDeniedError,
    PreconditionError,
    RefusedError,
    ReportError,
    SettingsError,
    SpoolError,
    StaleError,
    StorageError,
    TooLargeError,
    UnprocessableError,
)
from api.keys import IssuedKey, create_admin
from api.report import (
    CrossingEntry,
    Figure,
    ModelCard,
    PartnerView,
    RunReport,
    SortieEntry,
    VerificationEntry,
    write_report,
)
from api.roles import Role
from api.server import RunningService, running, serve
from api.settings import Settings
from api.spool import Failed, Spool
from api.store import Store

__all__ = [
    "ApiError",
    "AuditHead",
    "AuditTamperedError",
    "AuthenticationError",
    "Client",
    "ClientError",
    "ConflictError",
    "CrossingEntry",
    "Failed",
    "Figure",
    "IssuedKey",
    "ModelCard",
    "NotFoundError",
    "NotReleasableError",
    "PartnerView",
    "PermissionDeniedError",
    "PreconditionError",
    "RefusedError",
    "ReportError",
    "Role",
    "RunReport",
    "RunningService",
    "Settings",
    "SettingsError",
    "SortieEntry",
    "Spool",
    "SpoolError",
    "SpoolReport",
    "StaleError",
    "StorageError",
    "Store",
    "TooLargeError",
    "UnprocessableError",
    "VerificationEntry",
    "create_admin",
    "create_app",
    "running",
    "serve",
    "verify_audit",
    "write_report",
]
