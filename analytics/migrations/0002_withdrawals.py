import clickhouse_backend.models
from django.db import migrations

# Inserts are compared with this many of the last ones, so that one that is sent again
# under its token adds nothing.
REMEMBER = "ALTER TABLE analytics_event MODIFY SETTING non_replicated_deduplication_window = 10000"
FORGET = "ALTER TABLE analytics_event RESET SETTING non_replicated_deduplication_window"


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0001_event'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='is_deleted',
            field=clickhouse_backend.models.UInt8Field(default=0),
        ),
        migrations.RunSQL(REMEMBER, FORGET, hints={'clickhouse': True}),
    ]
