"""One worker of several leads; a chain's row knows its tip."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0028_due"),
    ]

    operations = [
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("holder", models.CharField(blank=True, max_length=60)),
                ("until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="chainstate",
            name="sure_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="chainstate",
            name="sure_seq",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="chainstate",
            name="tip_seq",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="chainstate",
            name="tip_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
    ]
