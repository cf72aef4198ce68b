"""Entries of staff are counted by account and may bring a task; a calendar year is open all year."""

import django.db.models.deletion
from django.db import migrations, models


def open_all_year(apps, _schema_editor):
    """60 days before 31 December would have sent people away from January to October."""
    rules = apps.get_model("registry", "CycleRule").objects
    rules.filter(cycle="calendar", early_days=60).update(early_days=366)


class Migration(migrations.Migration):
    dependencies = [("registry", "0024_receipt_numbers")]

    operations = [
        migrations.AddField(
            model_name="task",
            name="proof",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="task",
                to="registry.proof",
            ),
        ),
        migrations.AddIndex(
            model_name="proof",
            index=models.Index(
                condition=models.Q(("by", ""), _negated=True),
                fields=["by", "id"],
                name="proof_by",
            ),
        ),
        migrations.RunPython(open_all_year, migrations.RunPython.noop),
    ]
