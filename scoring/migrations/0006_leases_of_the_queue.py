import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('scoring', '0005_owners_of_regions'),
    ]

    operations = [
        migrations.DeleteModel(name='Job'),
        migrations.DeleteModel(name='PeriodicRun'),
        migrations.RemoveIndex(model_name='webhookdelivery', name='scoring_delivery_due'),
        migrations.RenameField(
            model_name='webhookdelivery',
            old_name='next_attempt_at',
            new_name='due_at',
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='due_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='Not before.'),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='lease_until',
            field=models.DateTimeField(blank=True, help_text='Nobody else takes it before; the worker renews this while it works.', null=True),
        ),
        migrations.AddField(
            model_name='webhookdelivery',
            name='holder',
            field=models.CharField(blank=True, help_text='The worker that claimed it last; each claim has a name of its own.', max_length=100),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['state', 'due_at'], name='scoring_delivery_due'),
        ),
    ]
