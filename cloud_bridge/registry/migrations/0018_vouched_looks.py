"""Which member of staff vouched for somebody who saw their own data."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0017_templates")]
    operations = [
        migrations.AddField("matter", "badge", models.CharField(blank=True, max_length=20)),
    ]
