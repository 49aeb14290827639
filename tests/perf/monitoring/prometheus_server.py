"""Debian's Prometheus with the committed rules, every second, for a test."""

import http.client
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from perf.monitoring.prometheus import RULE_FILES, prometheus
from riskplatform.embedded.ports import LOOPBACK, free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "deploy/monitoring"
PROMETHEUS = shutil.which("prometheus")
STOP_S = 30.0


@contextmanager
def running(
    *words: str | Path, env: Mapping[str, str]
) -> Generator["subprocess.Popen[bytes]"]:
    """Run a process inside the block; it is killed if it does not stop by itself."""
    process = subprocess.Popen(words, cwd=ROOT, env={**os.environ, **env})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def metrics_server(env: Mapping[str, str]) -> Generator[int]:
    """Serve /metrics of the processes of a folder; gives the port."""
    port = free_port()
    module = ("-m", "riskplatform.serving.metrics", "--port", str(port))
    with running(sys.executable, *module, env=env):
        wait_until(lambda: answers(port, "/health/live"), within_s=60)
        yield port


@contextmanager
def prometheus_reading(port: int, folder: Path) -> Generator[str]:
    """Have Prometheus read a port of this machine; gives its own address."""
    config = prometheus() | {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(MONITORING / name) for name in RULE_FILES],
    }
    del config["alerting"]
    [job] = config["scrape_configs"]
    job["static_configs"] = [{"targets": [f"{LOOPBACK}:{port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    own = free_port()
    options = (
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={LOOPBACK}:{own}",
        "--log.level=error",
    )
    with running(PROMETHEUS or "prometheus", *options, env={}):
        wait_until(lambda: answers(own, "/-/ready"), within_s=60)
        yield f"http://{LOOPBACK}:{own}"


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
