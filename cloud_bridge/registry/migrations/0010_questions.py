"""What a kiosk says it no longer has, and what of its messages was dropped unread."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0009_staff_badges")]
    operations = [
        migrations.AddField("chainstate", "gone", models.JSONField(default=list)),
        migrations.AddField("device", "throttled", models.BigIntegerField(default=0)),
        migrations.AddField("device", "throttled_at", models.DateTimeField(null=True)),
    ]
