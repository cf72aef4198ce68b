"""Badges for staff at kiosks, what was done with them, and the lists on their way."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0008_task_closing")]
    operations = [
        migrations.AddField("device", "staff_due", models.BooleanField(default=True)),
        migrations.AddField("device", "staff_day", models.DateField(null=True)),
        migrations.AddField("device", "staff_version", models.BigIntegerField(default=0)),
        migrations.AddField("device", "staff_sent_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="Badge",
            fields=[
                (
                    "number",
                    models.CharField(max_length=12, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("clerk", "Clerk: looks, tests, volume"),
                            ("technician", "Technician: may also switch off"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.region",
                    ),
                ),
                ("valid_until", models.DateField()),
                ("verifier_sealed", models.BinaryField()),
                ("issued_by", models.CharField(max_length=60)),
                ("issued_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="StaffDeed",
            fields=[
                (
                    "record_id",
                    models.CharField(max_length=36, primary_key=True, serialize=False),
                ),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.device",
                    ),
                ),
                ("badge", models.CharField(blank=True, db_index=True, max_length=12)),
                ("deed", models.CharField(max_length=20)),
                ("at", models.DateTimeField()),
                ("simulated", models.BooleanField()),
                ("epoch", models.CharField(max_length=64)),
                ("seq", models.BigIntegerField()),
                ("prev_sha256", models.CharField(max_length=64)),
                ("sha256", models.CharField(max_length=64)),
                ("envelope", models.BinaryField()),
                ("filed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("device", "epoch", "seq"), name="staffdeed_place"
                    )
                ],
            },
        ),
    ]
