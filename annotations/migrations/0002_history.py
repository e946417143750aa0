"""Batches of edits become changes: one row for each revision, whoever made it, with what it did to each box."""

import uuid
from collections import Counter

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

DEEDS = {"create": "drawn", "restore": "drawn", "update": "moved", "delete": "deleted", "accept": "accepted", "reject": "rejected"}


def count_edits(apps, schema_editor):
    """What old batches did can be counted, though it cannot be undone: they do not say what they met."""
    changes = apps.get_model("annotations", "Change").objects
    for change in changes.iterator():
        change.counts = dict(Counter(DEEDS[edit["op"]] for edit in change.edits if edit["op"] in DEEDS))
        change.save(update_fields=["counts"])


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0001_initial'),
        ('datasets', '0001_initial'),
    ]

    operations = [
        migrations.RenameModel('Edit', 'Change'),
        migrations.AlterField('change', 'id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
        migrations.AlterField('change', 'artwork', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='datasets.artwork')),
        migrations.AddField('change', 'kind', models.CharField(choices=[('edit', 'Edits'), ('review', 'Review of suggestions'), ('suggestions', 'Suggestions of a detector'), ('import', 'Import'), ('restore', 'Earlier state brought back'), ('label', 'Concept deleted')], default='edit', max_length=12)),
        migrations.AddField('change', 'detector_name', models.CharField(blank=True, default='', max_length=200), preserve_default=False),
        migrations.AddField('change', 'delta', models.JSONField(null=True)),
        migrations.AddField('change', 'counts', models.JSONField(default=dict)),
        migrations.AddField('change', 'nothing_before', models.BooleanField(default=False)),
        migrations.AddField('change', 'nothing_after', models.BooleanField(default=False)),
        migrations.AddField('change', 'details', models.JSONField(default=dict)),
        migrations.RunPython(count_edits, migrations.RunPython.noop, elidable=False),
        migrations.RemoveField('change', 'edits'),
        migrations.AddConstraint('change', models.UniqueConstraint(fields=('artwork', 'revision'), name='one_change_per_revision')),
        migrations.AlterField('box', 'created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
        migrations.AlterField('box', 'updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='changed')),
    ]
