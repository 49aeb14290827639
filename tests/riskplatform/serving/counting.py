"""A process that counts into files: `counting.py FOLDER HITS`, until its input ends."""

import sys
from pathlib import Path

from riskplatform.kernel import metrics_files


def main() -> None:
    metrics_files.begin(Path(sys.argv[1]), "web")
    # Only now may this be imported.
    from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415

    Counter("hits_total", "Hits.", ["route"]).labels("map").inc(float(sys.argv[2]))
    Histogram("took_seconds", "Time.", buckets=(1, 2)).observe(1.5)
    Gauge("held", "Held.", multiprocess_mode="livesum").set(float(sys.argv[2]))
    Gauge("seen", "Seen.", multiprocess_mode="mostrecent").set(float(sys.argv[2]))
    sys.stdout.write("counted\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
