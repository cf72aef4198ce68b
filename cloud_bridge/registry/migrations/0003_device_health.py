"""What a kiosk says of its devices."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_first_rows")]
    operations = [
        migrations.AddField("device", "health", models.JSONField(default=list)),
        migrations.AddField("device", "health_at", models.DateTimeField(null=True)),
    ]
