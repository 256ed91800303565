"""The service: store, review, release to partners, audit; its client with the spool; and the report of a run."""

from api.app import create_app
from api.courier.client import Client, SpoolReport
from api.courier.spool import Failed, Spool
from api.errors import (
    ApiError,
    AuditTamperedError,
    AuthenticationError,
    ClientError,
    ConflictError,
    NotFoundError,
    NotReleasableError,
    PasswordChangeError,
    PermissionDeniedError,
    PreconditionError,
    ProviderError,
    RateLimitedError,
    RefusedError,
    ReportError,
    SettingsError,
    SpoolError,
    StaleError,
    StorageError,
    TooLargeError,
    UnprocessableError,
    WrongCertificateError,
)
from api.identity.first import create_admin
from api.identity.keys import IssuedKey
from api.identity.roles import Role
from api.migrating import migrate_store
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
from api.server import RunningService, running, serve
from api.settings import Settings
from api.store.engine import Store
from api.trail.audit import AuditHead, verify_audit

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
    "PasswordChangeError",
    "PermissionDeniedError",
    "PreconditionError",
    "ProviderError",
    "RateLimitedError",
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
    "WrongCertificateError",
    "create_admin",
    "create_app",
    "migrate_store",
    "running",
    "serve",
    "verify_audit",
    "write_report",
]
