"""The tables, as a list of steps from an empty file to today's form.

    state      one value per name: epoch of the file, how the link is, boot counter
    counters   how often something happened, without saying to whom
    records    append-only, chained by hash; the proof that something was promised
    outbox     which records the registry has not confirmed yet
    roster     who is expected here, each row encrypted under the device's data key
    inbox      newest message of each kind, still sealed, on its way to the kiosk process
    health     how each device is, written when it changes
    origins    where records saved from a damaged file stood; their `seq` here is below 0
    settled    since which day a record is known to have been acknowledged
    receipts   what was printed, masked and encrypted, for a second copy
    proofs     append-only, signed: what was taken away; nothing else lets a record go
    letters    other messages than records, sealed, that somebody waits for only so long
    staff      badges that open the service screen, and wrong tries at them, encrypted

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
    (
        "003_letters",
        (
            """CREATE TABLE letters (
                letter_id TEXT NOT NULL UNIQUE,
                leaf TEXT NOT NULL,
                payload BLOB NOT NULL,
                boot_id TEXT NOT NULL,
                until_ns INTEGER NOT NULL,
                sent INTEGER NOT NULL DEFAULT 0,
                answer BLOB
            ) STRICT""",
        ),
    ),
    (
        "004_keeping",
        (
            """CREATE TABLE origins (
                seq INTEGER PRIMARY KEY REFERENCES records (seq) ON DELETE CASCADE,
                epoch TEXT NOT NULL,
                place INTEGER NOT NULL
            ) STRICT""",
            """CREATE TABLE settled (
                seq INTEGER PRIMARY KEY REFERENCES records (seq) ON DELETE CASCADE,
                day TEXT NOT NULL
            ) STRICT""",
            """CREATE TABLE receipts (
                number INTEGER PRIMARY KEY,
                receipt_no TEXT NOT NULL,
                day TEXT NOT NULL,
                sealed BLOB NOT NULL
            ) STRICT""",
            # `first` and `last` are numbers of records in `epoch`; 0 for other things.
            """CREATE TABLE proofs (
                number INTEGER PRIMARY KEY AUTOINCREMENT,
                what TEXT NOT NULL,
                epoch TEXT NOT NULL,
                first INTEGER NOT NULL,
                last INTEGER NOT NULL,
                payload BLOB NOT NULL
            ) STRICT""",
            """CREATE TRIGGER proofs_never_change BEFORE UPDATE ON proofs
                BEGIN SELECT RAISE(ABORT, 'proofs are append-only'); END""",
            """CREATE TRIGGER proofs_never_go BEFORE DELETE ON proofs
                BEGIN SELECT RAISE(ABORT, 'proofs are append-only'); END""",
            "DROP TRIGGER records_never_go",
            """CREATE TRIGGER records_never_go BEFORE DELETE ON records
                WHEN NOT EXISTS (
                    SELECT 1 FROM proofs
                    WHERE what = 'records' AND OLD.seq BETWEEN first AND last
                    AND epoch = (SELECT value FROM state WHERE name = 'epoch')
                )
                BEGIN SELECT RAISE(ABORT, 'records are append-only'); END""",
        ),
    ),
    (
        "005_staff",
        (
            """CREATE TABLE staff (
                name TEXT PRIMARY KEY,
                sealed BLOB NOT NULL
            ) STRICT""",
        ),
    ),
)
