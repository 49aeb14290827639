"""The served model: the geometric mean of regression and trees."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.models.boosted import BoostedPoisson
from scoring.engine.models.glm import PoissonGlm
from scoring.engine.snapshots import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ensemble:
    """Geometric mean of a smooth and a flexible model, which err differently."""

    kind: ClassVar[str] = "ensemble"
    recalibrates: ClassVar[bool] = True

    smooth: PoissonGlm
    flexible: BoostedPoisson

    def predict(self, features: Floats) -> Floats:
        """Mean number of events per row, shape (n_rows,)."""
        return np.sqrt(self.smooth.predict(features) * self.flexible.predict(features))

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        return self.predict(snapshot.features)
