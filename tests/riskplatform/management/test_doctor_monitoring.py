"""The doctor says whether metrics are served, and whether anybody reads them."""

import subprocess
import sys
import urllib.request
from pathlib import Path

from riskplatform.embedded.diagnosis import FAILING, MISSING, OK, check_metrics
from riskplatform.embedded.ports import free_port, is_listening
from tests.riskplatform.serving.running_up import CHECKOUT, clean_environment
from tests.support.waiting import wait_until


def test_what_monitoring_lacks_is_said_with_its_fix(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    assert check_metrics(None).state == MISSING
    assert check_metrics(url).state == FAILING
    with subprocess.Popen(
        [sys.executable, "-m", "riskplatform.serving.metrics", "--port", str(port)],
        cwd=CHECKOUT,
        env=clean_environment(tmp_path),
    ) as server:
        try:
            wait_until(lambda: is_listening(port))
            unread = check_metrics(url)
            assert (unread.state, unread.blocks) == (MISSING, False)
            assert "nobody reads" in unread.detail
            assert "deploy/monitoring/prometheus.yml" in unread.fix
            with urllib.request.urlopen(f"{url}/metrics", timeout=10) as response:  # noqa: S310 - loopback
                assert b"riskplatform_processes" in response.read()
            assert check_metrics(url).state == OK
        finally:
            server.terminate()
    assert server.returncode == 0
