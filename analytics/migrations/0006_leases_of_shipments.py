import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0005_event_store'),
    ]

    operations = [
        migrations.RemoveIndex(model_name='shipment', name='analytics_shipment_waiting'),
        migrations.RenameField(
            model_name='shipment',
            old_name='next_attempt_at',
            new_name='due_at',
        ),
        migrations.AlterField(
            model_name='shipment',
            name='due_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='Not before.'),
        ),
        migrations.AlterField(
            model_name='shipment',
            name='lease_until',
            field=models.DateTimeField(blank=True, help_text='Nobody else takes it before; the worker renews this while it works.', null=True),
        ),
        migrations.RemoveField(model_name='shipment', name='lease_token'),
        migrations.AddField(
            model_name='shipment',
            name='holder',
            field=models.CharField(blank=True, help_text='The worker that claimed it last; each claim has a name of its own.', max_length=100),
        ),
        migrations.AddIndex(
            model_name='shipment',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at'], name='analytics_shipment_waiting'),
        ),
    ]
