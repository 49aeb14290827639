import clickhouse_backend.models
import django.db.models.manager
from django.db import migrations

import analytics.models.columns

REMEMBER = "ALTER TABLE {} MODIFY SETTING non_replicated_deduplication_window = 10000"
COPY = "INSERT INTO {} ({}) SELECT {} FROM analytics_event SETTINGS max_partitions_per_insert_block = 0, max_execution_time = 0"
NEXT = "analytics_event_next"
REMEMBERING = ("analytics_forecastcell", "analytics_forecastoutcome")


def rebuild_event_table(apps, schema_editor):
    """Copy the events into a table of the new form, then exchange the two.

    The order and the partitions of a table cannot be altered. Interrupted, it can
    be run again. Nothing may be written meanwhile.
    """
    event = apps.get_model("analytics", "Event")
    columns = ", ".join(field.column for field in event._meta.local_fields)
    told = columns
    with schema_editor.connection.cursor() as cursor:
        table = schema_editor.connection.introspection.get_table_description(cursor, "analytics_event")
    # After an interruption that came late, the table has its new form already.
    if "lat" in {column.name for column in table}:
        for name in ("lat", "lon"):
            told = told.replace(f"{name}_e7", f"toInt32(round({name} * 1e7))")
    event._meta.db_table = NEXT
    try:
        create, _ = schema_editor.table_sql(event)
        indexes = [str(index.create_sql(event, schema_editor)) for index in event._meta.indexes]
    finally:
        event._meta.db_table = "analytics_event"
    for sql in (
        f"DROP TABLE IF EXISTS {NEXT}",
        str(create),
        *indexes,
        REMEMBER.format(NEXT),
        COPY.format(NEXT, columns, told),
        f"EXCHANGE TABLES analytics_event AND {NEXT}",
        f"DROP TABLE {NEXT}",
    ):
        schema_editor.execute(sql, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0004_import_sources'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel(name='Event'),
                migrations.CreateModel(
                    name='Event',
                    fields=[
                        ('region', clickhouse_backend.models.StringField(low_cardinality=True)),
                        ('cell', analytics.models.columns.UInt64Field(codec='Delta, ZSTD(1)')),
                        ('occurred_at', analytics.models.columns.DateTime64Field(codec='GCD, Delta, ZSTD(1)', precision=3)),
                        ('ingested_at', analytics.models.columns.DateTime64Field(codec='ZSTD(6)', precision=3)),
                        ('event_type', analytics.models.columns.StringField(codec='ZSTD(1)', low_cardinality=True)),
                        ('source', clickhouse_backend.models.StringField(low_cardinality=True)),
                        ('external_id', analytics.models.columns.StringField(codec='ZSTD(3)', primary_key=True, serialize=False)),
                        ('lat', analytics.models.columns.DegreesField(codec="T64('bit'), ZSTD(3)", db_column='lat_e7')),
                        ('lon', analytics.models.columns.DegreesField(codec="T64('bit'), ZSTD(3)", db_column='lon_e7')),
                        ('severity', analytics.models.columns.Float64Field(codec='ZSTD(3)', null=True)),
                        ('amount', analytics.models.columns.Float64Field(codec='ZSTD(6)', null=True)),
                        ('attributes', analytics.models.columns.MapField(codec='ZSTD(1)', default=dict, key_field=clickhouse_backend.models.StringField(low_cardinality=True), value_field=clickhouse_backend.models.StringField())),
                        ('version', analytics.models.columns.UInt64Field(codec='ZSTD(6)')),
                        ('is_deleted', analytics.models.columns.UInt8Field(codec='ZSTD(1)', default=0)),
                    ],
                    options={
                        'engine': clickhouse_backend.models.ReplacingMergeTree('version', order_by=('region', 'cell', 'occurred_at', 'source', 'external_id'), partition_by=analytics.models.columns.ToYear('occurred_at'), primary_key=('region', 'cell', 'occurred_at')),
                    },
                    managers=[
                        ('objects', django.db.models.manager.Manager()),
                        ('_overwrite_base_manager', django.db.models.manager.Manager()),
                    ],
                ),
                migrations.AddIndex(
                    model_name='event',
                    index=clickhouse_backend.models.Index(fields=['external_id'], granularity=4, name='external_id_bloom', type=clickhouse_backend.models.BloomFilter(0.25)),
                ),
                migrations.AddIndex(
                    model_name='event',
                    index=clickhouse_backend.models.Index(fields=['ingested_at'], granularity=4, name='ingested_at_minmax', type=clickhouse_backend.models.MinMax()),
                ),
                migrations.AddIndex(
                    model_name='event',
                    index=clickhouse_backend.models.Index(fields=['severity'], granularity=4, name='severity_minmax', type=clickhouse_backend.models.MinMax()),
                ),
                migrations.AddIndex(
                    model_name='event',
                    index=clickhouse_backend.models.Index(fields=['event_type'], granularity=4, name='event_type_set', type=clickhouse_backend.models.Set(100)),
                ),
            ],
        ),
        migrations.RunPython(rebuild_event_table, migrations.RunPython.noop, hints={'clickhouse': True}),
        migrations.CreateModel(
            name='EventHour',
            fields=[
                ('region', clickhouse_backend.models.StringField(low_cardinality=True, primary_key=True, serialize=False)),
                ('hour', analytics.models.columns.DateTime64Field(codec='Delta, ZSTD(1)', precision=0)),
                ('event_type', analytics.models.columns.StringField(codec='ZSTD(1)', low_cardinality=True)),
                ('count', analytics.models.columns.SumField(codec='T64, ZSTD(1)')),
            ],
            options={
                'engine': clickhouse_backend.models.AggregatingMergeTree(order_by=('region', 'hour', 'event_type'), partition_by=analytics.models.columns.ToYear('hour')),
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('_overwrite_base_manager', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='EventDay',
            fields=[
                ('region', clickhouse_backend.models.StringField(low_cardinality=True, primary_key=True, serialize=False)),
                ('day', analytics.models.columns.Date32Field(codec='Delta, ZSTD(1)')),
                ('event_type', analytics.models.columns.StringField(codec='ZSTD(1)', low_cardinality=True)),
                ('count', analytics.models.columns.SumField(codec='T64, ZSTD(1)')),
                ('severity_count', analytics.models.columns.SumField(codec='T64, ZSTD(1)')),
                ('severity_sum', analytics.models.columns.FloatSumField(codec='ZSTD(1)')),
                ('amount_sum', analytics.models.columns.FloatSumField(codec='ZSTD(1)')),
                ('severity_buckets', analytics.models.columns.SumMapField(codec='ZSTD(3)', key_field=clickhouse_backend.models.Int32Field(), value_field=clickhouse_backend.models.UInt64Field())),
            ],
            options={
                'engine': clickhouse_backend.models.AggregatingMergeTree(order_by=('region', 'day', 'event_type'), partition_by=analytics.models.columns.YearOfDate('day')),
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('_overwrite_base_manager', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='EventCellDay',
            fields=[
                ('region', clickhouse_backend.models.StringField(low_cardinality=True, primary_key=True, serialize=False)),
                ('cell', analytics.models.columns.UInt64Field(codec='Delta, ZSTD(1)')),
                ('day', analytics.models.columns.Date32Field(codec='Delta, ZSTD(1)')),
                ('event_type', analytics.models.columns.StringField(codec='ZSTD(1)', low_cardinality=True)),
                ('count', analytics.models.columns.SumField(codec='ZSTD(3)')),
            ],
            options={
                'engine': clickhouse_backend.models.AggregatingMergeTree(order_by=('region', 'cell', 'day', 'event_type'), partition_by=analytics.models.columns.YearOfDate('day'), primary_key=('region', 'cell', 'day')),
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('_overwrite_base_manager', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ForecastCell',
            fields=[
                ('forecast_id', clickhouse_backend.models.UUIDField(primary_key=True, serialize=False)),
                ('region', clickhouse_backend.models.StringField(low_cardinality=True)),
                ('model_version', clickhouse_backend.models.StringField(low_cardinality=True)),
                ('issued_for', analytics.models.columns.DateTime64Field(codec='Delta, ZSTD(1)', precision=3)),
                ('horizon_s', analytics.models.columns.UInt32Field(codec='T64, ZSTD(1)')),
                ('cell', analytics.models.columns.UInt64Field(codec='Delta, ZSTD(1)')),
                ('mean', analytics.models.columns.Float64Field(codec='ZSTD(1)')),
                ('alpha', analytics.models.columns.Float64Field(codec='ZSTD(1)')),
                ('p_event', analytics.models.columns.Float64Field(codec='ZSTD(1)')),
                ('q05', analytics.models.columns.Float64Field(codec='ZSTD(1)')),
                ('q50', analytics.models.columns.Float64Field(codec='ZSTD(1)')),
                ('q95', analytics.models.columns.Float64Field(codec='ZSTD(1)')),
            ],
            options={
                'engine': clickhouse_backend.models.ReplacingMergeTree(order_by=('region', 'issued_for', 'forecast_id', 'cell'), partition_by=analytics.models.columns.ToYear('issued_for')),
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('_overwrite_base_manager', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ForecastOutcome',
            fields=[
                ('forecast_id', clickhouse_backend.models.UUIDField(primary_key=True, serialize=False)),
                ('region', clickhouse_backend.models.StringField(low_cardinality=True)),
                ('issued_for', analytics.models.columns.DateTime64Field(codec='Delta, ZSTD(1)', precision=3)),
                ('cell', analytics.models.columns.UInt64Field(codec='Delta, ZSTD(1)')),
                ('count', analytics.models.columns.UInt32Field(codec='T64, ZSTD(1)')),
                ('observed_at', analytics.models.columns.DateTime64Field(codec='Delta, ZSTD(1)', precision=3)),
            ],
            options={
                'engine': clickhouse_backend.models.ReplacingMergeTree('observed_at', order_by=('region', 'issued_for', 'forecast_id', 'cell'), partition_by=analytics.models.columns.ToYear('issued_for')),
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('_overwrite_base_manager', django.db.models.manager.Manager()),
            ],
        ),
        *(
            migrations.RunSQL(REMEMBER.format(table), migrations.RunSQL.noop, hints={'clickhouse': True})
            for table in REMEMBERING
        ),
    ]
