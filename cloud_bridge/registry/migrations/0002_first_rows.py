"""The region above all regions, and the empty audit chain."""

from django.db import migrations


def add(apps, _schema_editor):
    apps.get_model("registry", "Region").objects.create(code="0" * 12, name="全国", level=0)
    apps.get_model("registry", "AuditHead").objects.create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
