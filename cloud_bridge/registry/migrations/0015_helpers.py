"""Who helped, how the person was named, and the number somebody is called by."""

from django.db import migrations, models

KINDS = [
    ("review", "Check needs a person"),
    ("declined", "Declined the face, wants staff"),
    ("verify", "Passed, but has to be verified"),
    ("clock", "Passed, but the day is unsure"),
    ("call", "Called staff at a kiosk"),
]


def columns(table: str) -> list[migrations.AddField]:
    return [
        migrations.AddField(
            table, "helper_key", models.CharField(blank=True, db_index=True, max_length=64)
        ),
        migrations.AddField(table, "helper_sealed", models.BinaryField(default=b"")),
        migrations.AddField(table, "named_by", models.CharField(default="card", max_length=20)),
        migrations.AddField(table, "ticket", models.CharField(blank=True, max_length=20)),
    ]


class Migration(migrations.Migration):
    dependencies = [("registry", "0014_owed_acks")]
    operations = [
        *columns("certification"),
        *columns("rehearsal"),
        migrations.AlterField("task", "kind", models.CharField(choices=KINDS, max_length=12)),
    ]
