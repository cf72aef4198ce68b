"""What people do with their own data, what they say of the service, and who is to be looked at."""

import django.db.models.deletion
from django.db import migrations, models

KINDS = [
    ("review", "Check needs a person"),
    ("declined", "Declined the face, wants staff"),
    ("verify", "Passed, but has to be verified"),
    ("clock", "Passed, but the day is unsure"),
    ("call", "Called staff at a kiosk"),
    ("correction", "Says that something kept of them is wrong"),
    ("alive", "Was at a kiosk, registered as dead"),
]
PROTECT = django.db.models.deletion.PROTECT


def place() -> list[tuple[str, models.Field]]:
    return [
        ("epoch", models.CharField(max_length=64)),
        ("seq", models.BigIntegerField()),
        ("prev_sha256", models.CharField(max_length=64)),
        ("sha256", models.CharField(max_length=64)),
        ("envelope", models.BinaryField()),
        ("filed_at", models.DateTimeField()),
    ]


def device() -> tuple[str, models.Field]:
    return ("device", models.ForeignKey("registry.device", PROTECT, related_name="+"))


def once(name: str) -> dict[str, list[models.UniqueConstraint]]:
    fields = ("device", "epoch", "seq")
    return {"constraints": [models.UniqueConstraint(fields=fields, name=name)]}


class Migration(migrations.Migration):
    dependencies = [("registry", "0015_helpers")]
    operations = [
        migrations.AddField("person", "dead_since", models.DateField(null=True)),
        migrations.CreateModel(
            "Matter",
            [
                ("record_id", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("subject_name", models.CharField(max_length=120)),
                ("subject_key", models.CharField(db_index=True, max_length=64)),
                ("subject_sealed", models.BinaryField()),
                ("kind", models.CharField(max_length=20)),
                ("about", models.CharField(blank=True, max_length=20)),
                ("number", models.CharField(blank=True, max_length=60)),
                ("proven", models.BooleanField()),
                ("consent", models.JSONField(null=True)),
                ("liveness", models.JSONField(null=True)),
                ("at", models.DateTimeField()),
                ("simulated", models.BooleanField()),
                ("software", models.CharField(max_length=120)),
                *place(),
                device(),
                (
                    "person",
                    models.ForeignKey(
                        "registry.person", PROTECT, null=True, related_name="matters"
                    ),
                ),
            ],
            options=once("matter_place"),
        ),
        migrations.CreateModel(
            "Opinion",
            [
                ("record_id", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("ratings", models.JSONField(default=list)),
                ("grievance", models.CharField(blank=True, max_length=20)),
                ("number", models.CharField(blank=True, db_index=True, max_length=60)),
                ("at", models.DateTimeField()),
                ("simulated", models.BooleanField()),
                *place(),
                device(),
            ],
            options=once("opinion_place"),
        ),
        migrations.AddField("task", "urgent", models.BooleanField(default=False)),
        migrations.AlterField("task", "kind", models.CharField(choices=KINDS, max_length=12)),
        migrations.AlterField(
            "task",
            "record",
            models.OneToOneField("registry.certification", PROTECT, null=True, related_name="task"),
        ),
        migrations.AddField(
            "task",
            "matter",
            models.OneToOneField("registry.matter", PROTECT, null=True, related_name="task"),
        ),
    ]
