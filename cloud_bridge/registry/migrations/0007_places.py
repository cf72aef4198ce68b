"""One record for each place in a kiosk's chain, and since when a chain is known."""

from django.db import migrations, models


def place(table):
    return models.UniqueConstraint(fields=["device", "epoch", "seq"], name=f"{table}_place")


class Migration(migrations.Migration):
    dependencies = [("registry", "0006_clocks")]
    operations = [
        migrations.AddField("chainstate", "began_at", models.DateTimeField(null=True)),
        migrations.AddConstraint("certification", place("certification")),
        migrations.AddConstraint("rehearsal", place("rehearsal")),
    ]
