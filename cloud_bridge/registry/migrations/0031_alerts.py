"""Whether there is an alert is asked with every page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0030_rollouts")]

    operations = [
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("kind", "alive"), ("state", "open")),
                fields=["region", "created_at"],
                name="task_alert",
            ),
        ),
    ]
