from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models


def copy_windows(apps, schema_editor):
    """Give every alert the windows of its forecasts, which all are still there."""
    alerts = apps.get_model('scoring', 'Alert').objects.using(schema_editor.connection.alias)
    some = []
    for alert in (
        alerts.select_related('first_forecast', 'last_forecast')
        .only(
            'first_forecast__issued_for',
            'first_forecast__horizon_sec',
            'last_forecast__issued_for',
            'last_forecast__horizon_sec',
        )
        .iterator(chunk_size=1_000)
    ):
        first, last = alert.first_forecast, alert.last_forecast
        alert.first_issued_for = first.issued_for
        alert.first_valid_until = first.issued_for + timedelta(seconds=first.horizon_sec)
        alert.valid_until = last.issued_for + timedelta(seconds=last.horizon_sec)
        some.append(alert)
        if len(some) == 1_000:
            _save(alerts, some)
            some = []
    _save(alerts, some)


def _save(alerts, some):
    alerts.bulk_update(some, ('first_issued_for', 'first_valid_until', 'valid_until'))


class Migration(migrations.Migration):

    dependencies = [
        ('scoring', '0003_notes_of_model_versions'),
    ]

    operations = [
        migrations.AddField(
            model_name='alert',
            name='first_issued_for',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='alert',
            name='first_valid_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='alert',
            name='valid_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(copy_windows, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='alert',
            name='first_issued_for',
            field=models.DateTimeField(help_text="Begin of the first forecast's window, by which the alert is judged."),
        ),
        migrations.AlterField(
            model_name='alert',
            name='first_valid_until',
            field=models.DateTimeField(help_text='End of that window.'),
        ),
        migrations.AlterField(
            model_name='alert',
            name='valid_until',
            field=models.DateTimeField(help_text="End of the last forecast's window."),
        ),
        migrations.RemoveIndex(
            model_name='alert',
            name='scoring_alert_unscored',
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(condition=models.Q(('scored_at', None)), fields=['first_valid_until'], name='scoring_alert_unscored'),
        ),
        migrations.AlterField(
            model_name='alert',
            name='first_forecast',
            field=models.ForeignKey(blank=True, help_text='Empty once that forecast was deleted; the alert stays.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts_opened', to='scoring.forecast'),
        ),
        migrations.AlterField(
            model_name='alert',
            name='last_forecast',
            field=models.ForeignKey(blank=True, help_text='Empty once that forecast was deleted; the alert stays.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts_seen', to='scoring.forecast'),
        ),
    ]
