"""Two processes that evaluate at the same moment open each alert once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from scoring.models import Alert, AlertChange, Forecast
from scoring.services.alerts.evaluation import EvaluationReport, evaluate_rules
from tests.scoring.alerts.watching import line_of_cells, make_rule, publish
from tests.support.factories import make_region

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.databases]
N_THREADS = 4
ROUNDS = 5


def evaluate(forecast: Forecast, start: Barrier) -> EvaluationReport:
    try:
        start.wait(timeout=10)
        return evaluate_rules(forecast)
    finally:
        connections.close_all()


def test_evaluations_at_once_open_each_alert_once() -> None:
    region = make_region()
    one, _, three = line_of_cells(3)
    rule = make_rule(region)
    with ThreadPoolExecutor(N_THREADS) as threads:
        for number in range(ROUNDS):
            hot = {one: 0.9} if number % 2 else {one: 0.9, three: 0.8}
            forecast = publish(region, hot, hours=number)
            start = Barrier(N_THREADS)
            reports = list(
                threads.map(lambda _: evaluate(forecast, start), range(N_THREADS))  # noqa: B023 - the round waits for its threads
            )
            assert sum(report.rule_count for report in reports) == 1
            assert sum(report.failed_count for report in reports) == 0
    assert Alert.objects.filter(rule=rule).count() == 4
    assert Alert.objects.unresolved().count() == 2
    assert AlertChange.objects.count() == 6
