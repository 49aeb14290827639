import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("keys", "0002_memberships"),
        ("scoring", "0004_alerts_outlive_forecasts"),
    ]

    operations = [
        migrations.AddField(
            model_name="region",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                help_text="Whose keys and members see it and change its models; empty: the installation, and so its staff.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="regions",
                to="keys.organisation",
            ),
        ),
    ]
