"""Witnesses, face templates held by kiosks, and what is looked at again."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0016_matters"),
    ]

    operations = [
        migrations.AddField(
            model_name="certification",
            name="assisted_reason",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="certification",
            name="witness",
            field=models.CharField(blank=True, db_index=True, max_length=12),
        ),
        migrations.AddField(
            model_name="device",
            name="forget_due",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="device",
            name="forget_version",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="person",
            name="template_withdrawn_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="rehearsal",
            name="assisted_reason",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="rehearsal",
            name="witness",
            field=models.CharField(blank=True, db_index=True, max_length=12),
        ),
        migrations.AlterField(
            model_name="badge",
            name="role",
            field=models.CharField(
                choices=[
                    ("clerk", "Clerk: serves residents, looks, tests, volume"),
                    ("technician", "Technician: may also switch off"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="Recheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("witness", "Vouched for at a kiosk"),
                            ("enrolment", "Template enrolled at a kiosk"),
                        ],
                        max_length=12,
                    ),
                ),
                ("record_id", models.CharField(max_length=36, unique=True)),
                ("simulated", models.BooleanField()),
                ("badge", models.CharField(db_index=True, max_length=12)),
                ("reason", models.CharField(blank=True, max_length=20)),
                ("created_at", models.DateTimeField()),
                (
                    "finding",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Open"),
                            ("in_order", "In order"),
                            ("not_in_order", "Not in order"),
                        ],
                        db_index=True,
                        max_length=12,
                    ),
                ),
                ("checked_by", models.CharField(blank=True, max_length=60)),
                ("checked_at", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.device",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rechecks",
                        to="registry.person",
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
            ],
        ),
        migrations.CreateModel(
            name="HeldTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateTimeField()),
                ("until", models.DateField()),
                ("badge", models.CharField(max_length=12)),
                ("wanted_gone_at", models.DateTimeField(null=True)),
                ("gone_at", models.DateTimeField(null=True)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="held_templates",
                        to="registry.device",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="held_templates",
                        to="registry.person",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("device", "person"), name="one_template_per_kiosk"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TemplateEvent",
            fields=[
                ("record_id", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("change", models.CharField(max_length=20)),
                ("badge", models.CharField(blank=True, db_index=True, max_length=12)),
                ("consent", models.JSONField(null=True)),
                ("expires", models.DateField(null=True)),
                ("card_alike", models.BooleanField(null=True)),
                ("at", models.DateTimeField()),
                ("simulated", models.BooleanField()),
                ("epoch", models.CharField(max_length=64)),
                ("seq", models.BigIntegerField()),
                ("prev_sha256", models.CharField(max_length=64)),
                ("sha256", models.CharField(max_length=64)),
                ("envelope", models.BinaryField()),
                ("filed_at", models.DateTimeField()),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.device",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="template_events",
                        to="registry.person",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("device", "epoch", "seq"), name="templateevent_place"
                    )
                ],
            },
        ),
    ]
