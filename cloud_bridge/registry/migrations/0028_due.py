"""Due lists of a county are counted from an index; how many people the checks of a day were of."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0027_audit_chains")]

    operations = [
        migrations.AddField(
            "dayofchecks", "people", models.IntegerField(default=0), preserve_default=False
        ),
        migrations.AddIndex(
            "person",
            models.Index(
                fields=["region", "category", "last_pass_on", "birth", "created_at"],
                condition=models.Q(covered=True, dead_since__isnull=True),
                name="person_due",
            ),
        ),
    ]
