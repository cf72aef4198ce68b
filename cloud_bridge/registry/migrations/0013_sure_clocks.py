"""The last record of a kiosk that had a clock is found without reading all that had none."""

from django.db import migrations, models

_FIELDS = ["device", "epoch", "seq"]
_SURE = models.Q(clock_unsure=False)


class Migration(migrations.Migration):
    dependencies = [("registry", "0012_notices")]
    operations = [
        migrations.AddIndex(
            table, models.Index(fields=_FIELDS, condition=_SURE, name=f"{table}_sure")
        )
        for table in ("certification", "rehearsal")
    ]
