"""For which day a roster was written, and whether records have come since."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_device_health")]
    operations = [
        migrations.AddField("device", "roster_stale", models.BooleanField(default=False)),
        migrations.AddField("device", "roster_day", models.DateField(null=True)),
    ]
