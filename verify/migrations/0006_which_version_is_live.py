from django.db import migrations


def as_activated(apps, schema_editor):
    """The one activated last proposes; the others did."""
    versions = apps.get_model('verify', 'ModelVersion').objects.exclude(activated_at=None)
    last = versions.order_by('-activated_at').first()
    if last:
        versions.update(state='retired')
        versions.filter(pk=last.pk).update(state='live')


class Migration(migrations.Migration):

    dependencies = [
        ('verify', '0005_versions_of_deepdress'),
    ]

    operations = [
        migrations.RunPython(as_activated, migrations.RunPython.noop),
    ]
