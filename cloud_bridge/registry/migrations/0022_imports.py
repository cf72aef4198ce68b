"""What an import found besides, changes of regions, and signals that come again after an undo."""

from django.db import migrations, models

_COUNTS = ("unchanged", "unknown", "missing", "faults")


class Migration(migrations.Migration):
    dependencies = [("registry", "0021_roles_and_doors")]
    operations = [
        *(
            migrations.AddField("importrun", name, models.IntegerField(default=0))
            for name in _COUNTS
        ),
        migrations.AddField("importrun", "full", models.BooleanField(default=False)),
        migrations.AddField(
            "importchange",
            "region",
            models.ForeignKey("registry.Region", models.CASCADE, null=True, related_name="+"),
        ),
        migrations.AlterField(
            "importchange",
            "person",
            models.ForeignKey("registry.Person", models.CASCADE, null=True, related_name="+"),
        ),
        migrations.RemoveConstraint("lifesignal", "one_signal_a_day"),
        migrations.AddConstraint(
            "lifesignal",
            models.UniqueConstraint(
                fields=["person", "kind", "source", "on", "run"], name="one_signal_a_day"
            ),
        ),
        migrations.AlterField(
            "task",
            "kind",
            models.CharField(
                choices=[
                    ("review", "Check needs a person"),
                    ("declined", "Declined the face, wants staff"),
                    ("verify", "Passed, but has to be verified"),
                    ("clock", "Passed, but the day is unsure"),
                    ("call", "Called staff at a kiosk"),
                    ("correction", "Says that something kept of them is wrong"),
                    ("alive", "Was at a kiosk, registered as dead"),
                    ("conflict", "Another office says otherwise"),
                    ("overdue", "Past the due date"),
                ],
                max_length=12,
            ),
        ),
    ]
