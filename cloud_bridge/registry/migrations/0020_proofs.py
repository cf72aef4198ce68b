"""What counted so far becomes proofs; how often people of a category come."""

from django.db import migrations, models

_RULES = (
    ("dibao", "calendar", 60, 30),
    ("tekun", "calendar", 60, 30),
    ("dibian", "calendar", 60, 30),
    ("retired", "rolling", 60, 30),
)


def carry_over(apps, _schema_editor):
    proof, person = (apps.get_model("registry", name) for name in ("Proof", "Person"))
    records = apps.get_model("registry", "Certification").objects
    counting = records.filter(counts=True).exclude(person=None)
    rows = counting.values_list("record_id", "person_id", "certified_on", "filed_at")
    proof.objects.bulk_create(
        (proof(record_id=r, person_id=p, on=on, at=at, method="kiosk") for r, p, on, at in rows),
        batch_size=1000,
    )
    days = proof.objects.filter(person=models.OuterRef("pk")).order_by().values("person")
    latest = days.annotate(day=models.Max("on")).values("day")
    person.objects.update(last_pass_on=models.Subquery(latest))
    rule = apps.get_model("registry", "CycleRule")
    rule.objects.bulk_create(
        rule(category=category, cycle=cycle, early_days=early, grace_days=grace)
        for category, cycle, early, grace in _RULES
    )


class Migration(migrations.Migration):
    dependencies = [("registry", "0019_cases")]
    operations = [
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.RemoveIndex("certification", "certification_last"),
        migrations.RemoveField("certification", "counts"),
        migrations.AddIndex(
            "certification",
            models.Index(fields=["person", "certified_on"], name="certification_last"),
        ),
    ]
