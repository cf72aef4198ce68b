"""Records that were passed but do not count before somebody has looked."""

from django.db import migrations, models


def count_passed(apps, _schema_editor):
    rows = apps.get_model("registry", "Certification").objects
    rows.filter(outcome="passed").exclude(person=None).update(counts=True)


class Migration(migrations.Migration):
    dependencies = [("registry", "0004_roster_day")]
    operations = [
        migrations.AddField("certification", "counts", models.BooleanField(default=False)),
        migrations.AddField("certification", "doubts", models.JSONField(default=list)),
        migrations.RunPython(count_passed, migrations.RunPython.noop),
        migrations.RemoveIndex("certification", "certification_last"),
        migrations.AddIndex(
            "certification",
            models.Index(fields=["person", "counts", "certified_on"], name="certification_last"),
        ),
        migrations.AlterField(
            "task",
            "kind",
            models.CharField(
                choices=[
                    ("review", "Check needs a person"),
                    ("declined", "Declined the face, wants staff"),
                    ("verify", "Passed, but has to be verified"),
                ],
                max_length=12,
            ),
        ),
    ]
