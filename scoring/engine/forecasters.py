"""A fitted forecaster: a mean model with its calibration and its provenance."""

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self, runtime_checkable

from scoring.engine.arrays import Floats
from scoring.engine.calibration import Calibration
from scoring.engine.distributions import CellDistribution
from scoring.engine.errors import EngineError
from scoring.engine.features import feature_names
from scoring.engine.scenario_models import (
    ScenarioModel,
    ScenarioRequest,
    joint_scenarios,
)
from scoring.engine.simulation import ScenarioSet
from scoring.engine.snapshots import Snapshot


class MeanModel(Protocol):
    """Expected number of events per cell and horizon, as known at an instant."""

    kind: ClassVar[str]
    recalibrates: ClassVar[bool]

    def mean_of(self, snapshot: Snapshot) -> Floats: ...


@runtime_checkable
class FeatureModel(Protocol):
    """A mean model that needs nothing but the feature matrix."""

    kind: ClassVar[str]
    recalibrates: ClassVar[bool]

    def mean_of(self, snapshot: Snapshot) -> Floats: ...

    def predict(self, features: Floats) -> Floats: ...


@runtime_checkable
class PooledModel(Protocol):
    """A feature model that pools members, and sees how far they differ."""

    def pooled(self, features: Floats) -> tuple[Floats, Floats]: ...


def forecast_with_spread(
    model: MeanModel, snapshot: Snapshot
) -> tuple[Floats, Floats | float]:
    """Mean of every cell, and the variance between members of its logarithm.

    Each of shape (n_cells,); the variance is 0 for a model without members.
    """
    if isinstance(model, PooledModel):
        return model.pooled(snapshot.features)
    return model.mean_of(snapshot), 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecaster:
    """A mean model fitted for one horizon.

    Attributes
    ----------
    model : MeanModel
    horizon_s : float
    timezone : str
        Zone whose wall clock the seasonal features follow.
    calibration : Calibration
    fitted_from_s, fitted_until_s : float
        Window of events it was fitted on, unix seconds.
    n_events : int
        Events in that window.
    feature_names : tuple of str
        Columns that `predict` expects, in order.
    scenario_model : ScenarioModel, optional
        What `scenarios` simulates with.
    """

    model: MeanModel
    horizon_s: float
    timezone: str
    calibration: Calibration
    fitted_from_s: float
    fitted_until_s: float
    n_events: int
    feature_names: tuple[str, ...] = feature_names()
    scenario_model: ScenarioModel | None = None

    @property
    def kind(self) -> str:
        """Name of the model family."""
        return self.model.kind

    @property
    def name(self) -> str:
        """Kind and horizon, such as `poisson_glm@86400s`."""
        return f"{self.kind}@{self.horizon_s:.0f}s"

    def predict(self, features: Floats) -> Floats:
        """Calibrated mean number of events per row of features, shape (n_rows,)."""
        model = self._model_of_features(features)
        return self.calibration.calibrated(model.predict(features))

    def distribution(self, features: Floats) -> CellDistribution:
        """Distribution per row of features."""
        model = self._model_of_features(features)
        if isinstance(model, PooledModel):
            return self._distribution(*model.pooled(features))
        return self._distribution(model.predict(features), 0.0)

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Calibrated mean number of events per cell, shape (n_cells,)."""
        return self.calibration.calibrated(self.model.mean_of(snapshot))

    def distribution_at(self, snapshot: Snapshot) -> CellDistribution:
        """Distribution of every cell of a snapshot."""
        return self._distribution(*forecast_with_spread(self.model, snapshot))

    def scenarios(
        self,
        snapshot: Snapshot,
        *,
        n_scenarios: int,
        seed: int,
        forecast: CellDistribution | None = None,
    ) -> ScenarioSet:
        """Joint scenarios of events that agree with a forecast for a snapshot.

        With `distribution_at` of the snapshot where no `forecast` is given.
        """
        if self.scenario_model is None:
            raise EngineError(
                f"The forecaster {self.name} was fitted without a scenario model."
            )
        forecast = forecast or self.distribution_at(snapshot)
        request = ScenarioRequest(
            forecast=forecast,
            horizon_s=self.horizon_s,
            region_alpha=self.calibration.region_alpha(forecast.mean),
        )
        return joint_scenarios(
            self.scenario_model, snapshot, request, n_scenarios=n_scenarios, seed=seed
        )

    def with_level(self, level: float) -> Self:
        """The same forecaster at another level (see `calibration.trailing_level`)."""
        return replace(self, calibration=self.calibration.with_level(level))

    def _model_of_features(self, features: Floats) -> FeatureModel:
        if not isinstance(self.model, FeatureModel):
            raise EngineError(
                f"The model {self.kind} forecasts from a snapshot, not from features."
            )
        if features.ndim != 2 or features.shape[1] != len(self.feature_names):
            raise EngineError(
                f"The model {self.kind} expects {len(self.feature_names)} features "
                f"per cell; the matrix given has the shape {features.shape}."
            )
        return self.model

    def _distribution(self, mean: Floats, spread: Floats | float) -> CellDistribution:
        calibrated = self.calibration.calibrated(mean)
        return self.calibration.distribution_of_calibrated(calibrated, spread)
