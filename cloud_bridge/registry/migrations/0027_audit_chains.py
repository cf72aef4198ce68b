"""Several audit chains instead of one, which goes on as the first; heads are sealed."""

from django.core.management.color import no_style
from django.db import migrations, models
from django.db.models import F

from cloud_bridge.registry import audit, keyring


def number_places(apps, _schema_editor):
    apps.get_model("registry", "AuditEntry").objects.update(place=F("number"))
    heads = apps.get_model("registry", "AuditHead").objects
    for chain in range(1, audit.CHAINS + 1):
        head, _ = heads.get_or_create(pk=chain, defaults={"chain_hash": audit.genesis(chain)})
        head.seal = audit.seal(keyring.vault(), chain, head.number, head.chain_hash)
        head.save()


def count_on(apps, schema_editor):
    """Where numbers come from a sequence, it goes on behind the last one."""
    entries = apps.get_model("registry", "AuditEntry")
    for statement in schema_editor.connection.ops.sequence_reset_sql(no_style(), [entries]):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("registry", "0026_people_list")]
    operations = [
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("heads", models.JSONField()),
                ("previous", models.CharField(max_length=64)),
                ("sha256", models.CharField(max_length=64)),
                ("signature", models.CharField(max_length=100)),
            ],
        ),
        migrations.AddField("auditentry", "chain", models.IntegerField(default=1)),
        migrations.AddField(
            "auditentry", "place", models.BigIntegerField(default=0), preserve_default=False
        ),
        migrations.AddField("audithead", "seal", models.CharField(default="", max_length=64)),
        migrations.AlterField("audithead", "chain_hash", models.CharField(max_length=64)),
        migrations.AlterField(
            "auditentry", "number", models.BigAutoField(primary_key=True, serialize=False)
        ),
        migrations.RunPython(number_places, migrations.RunPython.noop),
        migrations.RunPython(count_on, migrations.RunPython.noop),
        migrations.AddConstraint(
            "auditentry",
            models.UniqueConstraint(fields=["chain", "place"], name="auditentry_place"),
        ),
    ]
