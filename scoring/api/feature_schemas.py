"""What the feature endpoints take and give."""

from typing import Annotated

from msgspec import Meta, Struct

from scoring.api.schemas import MAX_CELLS, AwareTime, CellId, HorizonSec, Slug
from scoring.horizons import DAY_S

MAX_WINDOWS = 20
LONGEST_WINDOW_S = 3_660 * DAY_S

WindowSec = Annotated[int, Meta(ge=1, le=LONGEST_WINDOW_S)]
KnownAt = Annotated[
    AwareTime | None,
    Meta(
        description="Events that arrived later are left out; `time` where not given."
        " An imported history arrived when it was imported."
    ),
]


class FeatureSnapshotQuery(Struct, forbid_unknown_fields=True):
    region: Slug
    time: AwareTime
    horizon_sec: HorizonSec | None = None
    known_at: KnownAt = None


class WindowRequest(Struct, forbid_unknown_fields=True):
    cell_ids: Annotated[list[CellId], Meta(min_length=1, max_length=MAX_CELLS)]
    time: AwareTime
    window_sizes_sec: Annotated[
        list[WindowSec], Meta(min_length=1, max_length=MAX_WINDOWS)
    ]
    region: Slug | None = None
    known_at: KnownAt = None


class CellFeatures(Struct):
    cell_id: int
    cell_hex: str
    window_start: AwareTime
    window_end: AwareTime
    feature_vector: dict[str, float | None]


class FeatureSnapshotAnswer(Struct):
    region: str
    time: AwareTime
    known_at: AwareTime
    horizon_sec: int | None
    features: list[CellFeatures]


class WindowAnswer(Struct):
    region: str
    time: AwareTime
    known_at: AwareTime
    features: list[CellFeatures]
