"""Who closed a task, when, and what they did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_places")]
    operations = [
        migrations.AddField("task", "done_by", models.CharField(blank=True, max_length=60)),
        migrations.AddField("task", "done_at", models.DateTimeField(null=True)),
        migrations.AddField("task", "note", models.CharField(blank=True, max_length=200)),
    ]
