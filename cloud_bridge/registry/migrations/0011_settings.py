"""Wishes about kiosks' settings, and what the kiosks say to them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0010_questions")]
    operations = [
        migrations.CreateModel(
            name="KioskSettings",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="settings_row",
                        serialize=False,
                        to="registry.device",
                    ),
                ),
                ("version", models.BigIntegerField(default=0)),
                ("due", models.BooleanField(default=False)),
                ("sent_at", models.DateTimeField(null=True)),
                ("report", models.JSONField(default=dict)),
                ("reported_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SettingsVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.BigIntegerField()),
                ("values", models.JSONField(default=dict)),
                ("changed", models.JSONField(default=list)),
                ("back_to", models.BigIntegerField(null=True)),
                ("made_at", models.DateTimeField()),
                ("made_by", models.CharField(max_length=60)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="settings_versions",
                        to="registry.device",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="settingsversion",
            constraint=models.UniqueConstraint(
                fields=["device", "version"], name="one_wish_per_version"
            ),
        ),
    ]
