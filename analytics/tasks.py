"""What the worker does for events: it ships and prunes them, and renews rollups."""

from django.utils import timezone

from analytics.inbox.acceptance import CHANNEL
from analytics.inbox.pruning import prune_inbox, retention
from analytics.shipping.shipper import ship_due
from analytics.store.rollups import RollupKeeper
from perf.jobs.worker import Loop, loops
from riskplatform.kernel.periodic import register_periodic


def ship_events() -> bool:
    report = ship_due()
    return report.shipment_count > 0 and not report.has_failed


def prune_next_batch() -> bool:
    """Prune one batch at a time, so that no other write waits for long."""
    before = timezone.now() - retention()
    return prune_inbox(shipped_before=before, max_batches=1).batch_count > 0


# An insert costs a part on the disk, so small shipments keep a distance.
loops["ship-events"] = Loop(
    step=ship_events, poll_s=0.2, spacing_s=0.2, channel=CHANNEL
)
loops["prune-inbox"] = Loop(step=prune_next_batch, poll_s=600, spacing_s=0.05)
register_periodic("refresh-rollups", 10, RollupKeeper().refresh_if_due)
