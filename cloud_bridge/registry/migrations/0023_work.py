"""Who is on a task, by when an overdue person should have come, and what dashboards count."""

import django.db.models.deletion
from django.db import migrations, models

_METHODS = [
    ("kiosk", "At a kiosk"),
    ("visit", "Home visit"),
    ("video", "Video call"),
    ("data", "Data of another office"),
    ("manual", "Kiosk, confirmed by staff"),
]


def _id():
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    dependencies = [("registry", "0022_imports")]

    operations = [
        migrations.AddField("task", "due_on", models.DateField(null=True)),
        migrations.AddField("task", "claimed_by", models.CharField(blank=True, max_length=60)),
        migrations.AddField("task", "claimed_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "task",
            models.Index(fields=["-state", "-urgent", "low", "created_at"], name="task_queue"),
        ),
        migrations.AddConstraint(
            "task",
            models.UniqueConstraint(fields=["person", "due_on"], name="once_overdue_per_cycle"),
        ),
        migrations.AddIndex("proof", models.Index(fields=["on"], name="proof_on")),
        migrations.AddIndex(
            "proof",
            models.Index(
                fields=["voided_at"],
                condition=models.Q(voided_at__isnull=False),
                name="proof_voided",
            ),
        ),
        migrations.CreateModel(
            name="DayOfProofs",
            fields=[
                ("id", _id()),
                ("day", models.DateField()),
                ("street", models.CharField(max_length=12)),
                ("method", models.CharField(choices=_METHODS, max_length=8)),
                ("proofs", models.IntegerField()),
            ],
        ),
        migrations.AddConstraint(
            "dayofproofs",
            models.UniqueConstraint(fields=["day", "street", "method"], name="one_sum_of_proofs"),
        ),
        migrations.CreateModel(
            name="DayOfChecks",
            fields=[
                ("id", _id()),
                ("day", models.DateField()),
                ("street", models.CharField(max_length=12)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="registry.site",
                    ),
                ),
                ("band", models.CharField(max_length=8)),
                ("software", models.CharField(max_length=120)),
                ("checks", models.IntegerField()),
                ("passed", models.IntegerField()),
                ("tries", models.IntegerField()),
                ("sessions", models.IntegerField()),
                ("session_s", models.FloatField()),
                ("looks", models.IntegerField()),
                ("camera_s", models.FloatField()),
            ],
        ),
        migrations.AddConstraint(
            "dayofchecks",
            models.UniqueConstraint(
                fields=["day", "street", "site", "band", "software"], name="one_sum_of_checks"
            ),
        ),
        migrations.CreateModel(
            name="FiguresMark",
            fields=[
                ("id", _id()),
                ("counted_to", models.DateTimeField(null=True)),
            ],
        ),
    ]
