"""The tables, as a list of steps from an empty file to today's form.

    state      one value per name: epoch of the file, how the link is, boot counter
    counters   how often something happened, without saying to whom
    records    append-only, chained by hash; the proof that something was promised
    outbox     which records the registry has not confirmed yet
    roster     who is expected here, each row encrypted under the device's data key
    inbox      newest message of each kind, still sealed, on its way to the kiosk process
    health     how each device is, written when it changes

A step that was ever released is never edited; add another one.
"""

from __future__ import annotations

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "001_first",
        (
            "CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
            # The epoch is born with the file: a new file can never continue an old chain.
            "INSERT INTO state VALUES ('epoch', lower(hex(randomblob(16))))",
            "CREATE TABLE counters (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT",
            # AUTOINCREMENT remembers the highest number ever given, so that a
            # deleted last record shows as well as a deleted middle one.
            """CREATE TABLE records (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                record_id TEXT NOT NULL UNIQUE,
                kind TEXT NOT NULL,
                prev_sha256 TEXT NOT NULL,
                sha256 TEXT NOT NULL,
                payload BLOB NOT NULL
            ) STRICT""",
            """CREATE TRIGGER records_never_change BEFORE UPDATE ON records
                BEGIN SELECT RAISE(ABORT, 'records are append-only'); END""",
            """CREATE TRIGGER records_never_go BEFORE DELETE ON records
                BEGIN SELECT RAISE(ABORT, 'records are append-only'); END""",
            # A due time counts nanoseconds since boot and means nothing in another boot.
            """CREATE TABLE outbox (
                seq INTEGER PRIMARY KEY REFERENCES records (seq),
                attempts INTEGER NOT NULL DEFAULT 0,
                due_boot_id TEXT NOT NULL DEFAULT '',
                due_ns INTEGER NOT NULL DEFAULT 0,
                quarantined INTEGER NOT NULL DEFAULT 0
            ) STRICT""",
            """CREATE TABLE roster (
                version INTEGER NOT NULL,
                card_key TEXT NOT NULL,
                sealed BLOB NOT NULL,
                PRIMARY KEY (version, card_key)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE inbox (
                kind TEXT PRIMARY KEY,
                sha256 TEXT NOT NULL,
                payload BLOB
            ) STRICT""",
        ),
    ),
    (
        "002_health",
        (
            """CREATE TABLE health (
                device TEXT PRIMARY KEY,
                condition TEXT NOT NULL,
                detail TEXT NOT NULL,
                since TEXT NOT NULL
            ) STRICT""",
        ),
    ),
)
