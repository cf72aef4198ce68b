"""Since when a kiosk is known, and tasks about the day a record counts for."""

from django.db import migrations, models


def take_from_audit(apps, _schema_editor):
    """The log knows when a kiosk was first added."""
    entries = apps.get_model("registry", "AuditEntry").objects.filter(action="device.set")
    for device in apps.get_model("registry", "Device").objects.all():
        first = entries.filter(object_id=device.kiosk_id).order_by("number").first()
        device.created_at = first.at if first else None
        device.save(update_fields=["created_at"])


class Migration(migrations.Migration):
    dependencies = [("registry", "0005_counts")]
    operations = [
        migrations.AddField("device", "created_at", models.DateTimeField(null=True)),
        migrations.RunPython(take_from_audit, migrations.RunPython.noop),
        migrations.AlterField(
            "device", "created_at", models.DateTimeField(auto_now_add=True, null=True)
        ),
        migrations.AddField("task", "low", models.BooleanField(default=False)),
        migrations.AlterField(
            "task",
            "kind",
            models.CharField(
                choices=[
                    ("review", "Check needs a person"),
                    ("declined", "Declined the face, wants staff"),
                    ("verify", "Passed, but has to be verified"),
                    ("clock", "Passed, but the day is unsure"),
                ],
                max_length=12,
            ),
        ),
    ]
