"""What kiosks tell of themselves in the chain of their records."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0011_settings")]
    operations = [
        migrations.CreateModel(
            name="KioskNotice",
            fields=[
                (
                    "record_id",
                    models.CharField(max_length=36, primary_key=True, serialize=False),
                ),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="registry.device",
                    ),
                ),
                ("schema", models.CharField(max_length=40)),
                ("about", models.CharField(blank=True, db_index=True, max_length=64)),
                ("body", models.JSONField()),
                ("epoch", models.CharField(max_length=64)),
                ("seq", models.BigIntegerField()),
                ("prev_sha256", models.CharField(max_length=64)),
                ("sha256", models.CharField(max_length=64)),
                ("envelope", models.BinaryField()),
                ("filed_at", models.DateTimeField()),
            ],
            options={
                "constraints": (
                    models.UniqueConstraint(
                        fields=["device", "epoch", "seq"], name="kiosknotice_place"
                    ),
                ),
            },
        ),
    ]
