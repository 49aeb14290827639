"""Benchmarks of what saves inference; `manage.py benchmark --suite inference_cache`."""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import TypeVar

import numpy as np
from prometheus_client import REGISTRY

from perf.bench.measurement import AnyMeasurement, Measurement, Meter, reported
from perf.bench.registry import registry
from perf.switches import Switch, switched_off
from scoring.arrays import named_arrays
from scoring.bench.place import ISSUED_FOR, SEED, Place, draw, own_place, publish
from scoring.engine import workloads
from scoring.engine.artifacts import digest_of, dump_artifact
from scoring.engine.fitting import fit_forecaster
from scoring.engine.forecasters import Forecaster
from scoring.engine.synthetic import generate_truth
from scoring.horizons import DAY_S
from scoring.metrics import Inference
from scoring.models import Forecast, ModelArtifact
from scoring.selectors.assessment_inputs import (
    ForecastScenarios,
    forget_inputs,
    load_scenarios,
)
from scoring.selectors.forecasts import get_columns
from scoring.services.forecasts.snapshots import FeatureValues, score_cells

Result = TypeVar("Result")

N_CELLS, N_SCENARIOS = 1_000, 10_000
N_REQUESTS, N_DISTINCT = 2_000, 500
ZIPF_EXPONENT = 1.1
SCENARIO_COUNTS = (20, 50, 100)
MOST_CELLS = 20
# One request in so many brings features of its own.
OWN_FEATURES_EVERY = 10
TRAINING_CELLS, TRAINING_DAYS = 37, 150
PLAIN = partial(switched_off, *Switch)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    forecast: Forecast
    cells: Sequence[int]
    features: Sequence[FeatureValues | None]
    n_scenarios: int

    def answer(self) -> bytes:
        """Give the digest of the answer, every bit of it."""
        scored = score_cells(
            self.forecast,
            cells=self.cells,
            features=self.features,
            n_scenarios=self.n_scenarios,
        )
        digest = blake2b(scored.risk_values.tobytes("A"), digest_size=16)
        for array in named_arrays(scored.columns).values():
            digest.update(array.tobytes("A"))
        return digest.digest()


# The digests of all answers, and how often inference was carried out for them.
_Sent = tuple[list[bytes], float]

CALLS: Meter[_Sent] = reported("inference calls", lambda sent: sent[1])


@registry.suite("inference_cache")
def inference_cache() -> Iterator[AnyMeasurement]:
    """Repeated requests: inference carried out, plain (before) and cached."""
    with own_place(n_cells=N_CELLS) as place:
        forecasts = [publish(place, days, N_SCENARIOS) for days in (1, 7)]
        requests = _distinct_requests(forecasts, store_fitted_model(place))
        mixed = draw(requests, N_REQUESTS, exponent=ZIPF_EXPONENT)
        yield Measurement(
            name=f"{N_REQUESTS:,} questions, Zipf {ZIPF_EXPONENT} of {N_DISTINCT}",
            before=partial(_plainly, partial(_send, mixed)),
            after=partial(_send, mixed),
            meter=CALLS,
            check=lambda before, after: before[0] == after[0],
            target=10.0,
            warmups=0,
            repeats=1,
            time_limit_s=400.0,
        )
        again = {
            "a question about cells, again": requests[0],
            "a question with features of its own, again": requests[
                OWN_FEATURES_EVERY - 1
            ],
        }
        for name, request in again.items():
            yield Measurement(
                name=name,
                before=partial(_plainly, request.answer),
                after=request.answer,
                check=operator.eq,
                target=5.0,
            )
        yield _opened(forecasts[0])


def _opened(forecast: Forecast) -> AnyMeasurement:
    """Measure what a process pays that has not seen the forecast before."""

    def open_again() -> ForecastScenarios:
        forget_inputs()
        return load_scenarios(forecast)

    return Measurement(
        name=f"10,000 scenarios of {N_CELLS:,} cells, in a process new to them",
        before=partial(_plainly, partial(load_scenarios, forecast)),
        after=open_again,
        check=_same_scenarios,
        target=5.0,
    )


def _same_scenarios(before: ForecastScenarios, after: ForecastScenarios) -> bool:
    is_same = before.p_event.tobytes() == after.p_event.tobytes()
    for name in ("start", "scenario", "mark"):
        one, other = getattr(before.events, name), getattr(after.events, name)
        is_same &= one.tobytes() == other.tobytes()
    return is_same


def _plainly(call: Callable[[], Result]) -> Result:
    with PLAIN():
        return call()


def _send(requests: Sequence[_Request]) -> _Sent:
    before = _inference_calls()
    digests = [request.answer() for request in requests]
    return digests, _inference_calls() - before


def _inference_calls() -> float:
    name = "scoring_inference_calls_total"
    counts = (REGISTRY.get_sample_value(name, {"kind": kind}) for kind in Inference)
    return sum(count or 0.0 for count in counts)


def _distinct_requests(
    forecasts: Sequence[Forecast], forecaster: Forecaster
) -> list[_Request]:
    rng = np.random.default_rng(SEED)
    known = get_columns(forecasts[0]).cells
    requests = []
    for number in range(N_DISTINCT):
        n_cells = int(rng.integers(1, MOST_CELLS + 1))
        features: list[FeatureValues | None] = [None] * n_cells
        is_own = number % OWN_FEATURES_EVERY == OWN_FEATURES_EVERY - 1
        if is_own:
            values = rng.normal(size=len(forecaster.feature_names)).tolist()
            features[0] = dict(zip(forecaster.feature_names, values, strict=True))
        requests.append(
            _Request(
                # The model version has one artifact, of the shortest horizon.
                forecast=forecasts[0 if is_own else number % len(forecasts)],
                cells=rng.choice(known, n_cells, replace=False).tolist(),
                features=features,
                n_scenarios=int(rng.choice(SCENARIO_COUNTS)),
            )
        )
    return requests


def store_fitted_model(place: Place) -> Forecaster:
    """Fit a small model to made-up events, and store it as the region's."""
    grid = workloads.compact_grid(TRAINING_CELLS)
    until_s = ISSUED_FOR.timestamp()
    start_s = until_s - TRAINING_DAYS * DAY_S
    truth = generate_truth(
        grid, n_days=TRAINING_DAYS, events_per_day=6.0, seed=SEED, start_s=start_s
    )
    forecaster = fit_forecaster(
        truth.history, grid, horizon_s=DAY_S, timezone="UTC", until_s=until_s
    )
    body = dump_artifact(forecaster)
    ModelArtifact.objects.create(
        model_version=place.region.model_versions.get(),
        horizon_sec=DAY_S,
        digest=digest_of(body),
        body=body,
    )
    return forecaster
