"""Acknowledgements for records that staff filed out of the quarantine."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0013_sure_clocks")]
    operations = [
        migrations.CreateModel(
            name="OwedAck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("record_id", models.CharField(max_length=36)),
                ("sha256", models.CharField(max_length=64)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="owed_acks",
                        to="registry.device",
                    ),
                ),
            ],
        ),
    ]
