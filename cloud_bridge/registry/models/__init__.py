"""The tables.

Two rules are in the shape of the tables themselves. Simulated records lie in
a table of their own (`Rehearsal`), so that no question about the living can
count one by forgetting a condition. And no table has a column that stops a
payment: a check that failed can only become a `Task`.
"""

from cloud_bridge.registry.models.accounts import (
    Account,
    AccountManager,
    ApiClient,
    DoorTally,
    RecoveryCode,
    Role,
    SavedFilter,
)
from cloud_bridge.registry.models.audit import (
    AuditCheckpoint,
    AuditEntry,
    AuditHead,
)
from cloud_bridge.registry.models.devices import (
    ChainState,
    Device,
    KioskNotice,
    KioskSettings,
    OwedAck,
    Quarantine,
    SettingsVersion,
    Site,
)
from cloud_bridge.registry.models.figures import (
    DayOfChecks,
    DayOfProofs,
    FiguresMark,
)
from cloud_bridge.registry.models.fleet import KioskRelease, Rollout, RolloutKiosk
from cloud_bridge.registry.models.imports import (
    ImportChange,
    ImportRun,
)
from cloud_bridge.registry.models.lease import Lease
from cloud_bridge.registry.models.outward import (
    Delivery,
    Webhook,
)
from cloud_bridge.registry.models.people import (
    Category,
    CycleRule,
    Household,
    Person,
    PersonQuerySet,
    new_person_id,
)
from cloud_bridge.registry.models.proofs import (
    DeathReport,
    Evidence,
    LifeSignal,
    Proof,
)
from cloud_bridge.registry.models.records import (
    Certification,
    FiledRecord,
    HeldTemplate,
    Matter,
    Opinion,
    Rehearsal,
    TemplateEvent,
)
from cloud_bridge.registry.models.regions import (
    ROOT_REGION,
    Region,
)
from cloud_bridge.registry.models.staff import (
    Badge,
    StaffDeed,
)
from cloud_bridge.registry.models.work import (
    Recheck,
    Task,
    VisitPlan,
)

__all__ = [
    "ROOT_REGION",
    "Account",
    "AccountManager",
    "ApiClient",
    "AuditCheckpoint",
    "AuditEntry",
    "AuditHead",
    "Badge",
    "Category",
    "Certification",
    "ChainState",
    "CycleRule",
    "DayOfChecks",
    "DayOfProofs",
    "DeathReport",
    "Delivery",
    "Device",
    "DoorTally",
    "Evidence",
    "FiguresMark",
    "FiledRecord",
    "HeldTemplate",
    "Household",
    "ImportChange",
    "ImportRun",
    "KioskNotice",
    "KioskRelease",
    "KioskSettings",
    "Lease",
    "LifeSignal",
    "Matter",
    "Opinion",
    "OwedAck",
    "Person",
    "PersonQuerySet",
    "Proof",
    "Quarantine",
    "Recheck",
    "RecoveryCode",
    "Region",
    "Rehearsal",
    "Role",
    "Rollout",
    "RolloutKiosk",
    "SavedFilter",
    "SettingsVersion",
    "Site",
    "StaffDeed",
    "Task",
    "TemplateEvent",
    "VisitPlan",
    "Webhook",
    "new_person_id",
]
