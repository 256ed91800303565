"""The service: store, review, release to partners, audit; its client with the spool; and the report of a run."""

from typing import TYPE_CHECKING

from geo import lazily

if TYPE_CHECKING:
    from api.account.backup import BackupReport, RestoreReport, backup, restore
    from api.app import create_app
    from api.console.settings import ConsoleSettings
    from api.courier.client import Client, SpoolReport
    from api.courier.fetch import fetch_evidence
    from api.courier.launches import LaunchCourier, TakenLaunch
    from api.courier.live import LiveCourier
    from api.courier.orders import OrderCourier, TakenOrder
    from api.courier.pictures import LivePicture, PictureCourier
    from api.courier.spool import Failed, Spool
    from api.courier.wire import plain
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
    from api.settings_file import read_settings
    from api.store.engine import Store
    from api.trail.audit import AuditHead, verify_audit
    from api.trail.copies import chain_of_database, chain_of_file, holds_chain, place_named, write_chain
    from api.trail.heads import SignedHead, read_signed_heads, verify_with_heads
    from api.trail.settings import HeadSettings
else:
    __getattr__, __dir__ = lazily(__name__)

__all__ = [
    "ApiError",
    "AuditHead",
    "AuditTamperedError",
    "AuthenticationError",
    "BackupReport",
    "Client",
    "ClientError",
    "ConflictError",
    "ConsoleSettings",
    "CrossingEntry",
    "Failed",
    "Figure",
    "HeadSettings",
    "IssuedKey",
    "LaunchCourier",
    "LiveCourier",
    "LivePicture",
    "ModelCard",
    "NotFoundError",
    "NotReleasableError",
    "OrderCourier",
    "PartnerView",
    "PasswordChangeError",
    "PermissionDeniedError",
    "PictureCourier",
    "PreconditionError",
    "ProviderError",
    "RateLimitedError",
    "RefusedError",
    "ReportError",
    "RestoreReport",
    "Role",
    "RunReport",
    "RunningService",
    "Settings",
    "SettingsError",
    "SignedHead",
    "SortieEntry",
    "Spool",
    "SpoolError",
    "SpoolReport",
    "StaleError",
    "StorageError",
    "Store",
    "TakenLaunch",
    "TakenOrder",
    "TooLargeError",
    "UnprocessableError",
    "VerificationEntry",
    "WrongCertificateError",
    "backup",
    "chain_of_database",
    "chain_of_file",
    "create_admin",
    "create_app",
    "fetch_evidence",
    "holds_chain",
    "migrate_store",
    "place_named",
    "plain",
    "read_settings",
    "read_signed_heads",
    "restore",
    "running",
    "serve",
    "verify_audit",
    "verify_with_heads",
    "write_chain",
    "write_report",
]
