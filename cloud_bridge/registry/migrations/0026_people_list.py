"""The list of people, a million long: indexes that hold all it is filtered by; fewer that repeat others."""

import django.db.models.deletion
from django.db import migrations, models


def names_by_code_point(_apps, editor):
    """As SQLite always does: what begins with a text is then a range of the index."""
    if editor.connection.vendor == "postgresql":
        editor.execute('ALTER TABLE registry_person ALTER COLUMN name TYPE varchar(60) COLLATE "C"')


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0025_entries"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="person",
            name="person_region_name",
        ),
        migrations.AlterField(
            model_name="certification",
            name="device",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.device",
            ),
        ),
        migrations.AlterField(
            model_name="certification",
            name="person",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="certifications",
                to="registry.person",
            ),
        ),
        migrations.AlterField(
            model_name="person",
            name="last_pass_on",
            field=models.DateField(null=True),
        ),
        migrations.AlterField(
            model_name="person",
            name="name",
            field=models.CharField(max_length=60),
        ),
        migrations.AlterField(
            model_name="person",
            name="region",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="people",
                to="registry.region",
            ),
        ),
        migrations.AlterField(
            model_name="proof",
            name="person",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="proofs",
                to="registry.person",
            ),
        ),
        migrations.AlterField(
            model_name="rehearsal",
            name="device",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.device",
            ),
        ),
        migrations.RunPython(names_by_code_point, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                fields=[
                    "region",
                    "name",
                    "person_id",
                    "last_pass_on",
                    "category",
                    "covered",
                    "dead_since",
                ],
                name="person_by_place",
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                fields=[
                    "name",
                    "person_id",
                    "region",
                    "last_pass_on",
                    "category",
                    "covered",
                    "dead_since",
                ],
                name="person_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                fields=[
                    "last_pass_on",
                    "person_id",
                    "region",
                    "name",
                    "category",
                    "covered",
                    "dead_since",
                ],
                name="person_by_day",
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                condition=models.Q(("dead_since__isnull", False)),
                fields=[
                    "region",
                    "name",
                    "person_id",
                    "last_pass_on",
                    "category",
                    "covered",
                    "dead_since",
                ],
                name="person_dead",
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                condition=models.Q(("covered", False)),
                fields=[
                    "region",
                    "name",
                    "person_id",
                    "last_pass_on",
                    "category",
                    "covered",
                    "dead_since",
                ],
                name="person_uncovered",
            ),
        ),
    ]
