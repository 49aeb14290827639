"""The cells of a region whose risk has changed, as JSON or as a compact binary."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final
from uuid import UUID

import msgspec
import numpy as np

from analytics.errors import RegionNotFoundError
from perf.realtime.closing import BAD_REQUEST, NOT_FOUND, SocketClosedError
from perf.realtime.entry import Visitor
from perf.realtime.following import Frame, made_once
from perf.realtime.history import Entry, Position
from perf.realtime.hub import Joined
from riskplatform.api.keys.access import may_see_region
from riskplatform.api.keys.holders import Identity
from riskplatform.api.renderers import Rows
from scoring.api.risk_map import ForecastHead, RiskMap, risk_rows
from scoring.arrays import ForecastColumns
from scoring.horizons import DAY_S
from scoring.models import Forecast, Region
from scoring.selectors.forecasts import find_newest_served, get_columns
from scoring.selectors.regions import find_known_region
from scoring.services.announcing import PUBLISHED, ForecastNews, forecasts_group

JSON: Final = "riskplatform.json"
BINARY: Final = "riskplatform.binary"
# Begins a binary frame; then the bytes of the head as a uint32, the head as JSON, and
# the arrays: uint64 cells, then float32 p_event, q05, q50, q95. All little-endian.
MAGIC: Final = b"RMD1"
ALIGNMENT: Final = 8
FIGURES: Final = ("p_event", "q05", "q50", "q95")
MOST_HORIZON_SEC: Final = 366 * DAY_S


class DeltaHead(msgspec.Struct, kw_only=True):
    """What precedes the cells; `base_forecast_id` is null where all cells are sent."""

    epoch: str
    offset: int
    type: str = PUBLISHED
    id: UUID
    base_forecast_id: UUID | None


class RiskMapDelta(DeltaHead, kw_only=True):
    """`map` is as `GET /risk-map` gives it, of the cells that differ from the base."""

    map: RiskMap


class BinaryHead(DeltaHead, kw_only=True):
    """Of a binary frame: the arrays that follow have `cell_count` elements each."""

    map: ForecastHead
    cell_count: int


@dataclass(slots=True, eq=False)
class RiskMapFeed:
    route: ClassVar[str] = "risk-map"
    is_state: ClassVar[bool] = True
    look_every_s: ClassVar[float | None] = None

    region: Region
    horizon_sec: int
    is_binary: bool
    # The forecast that the client has, as far as is known.
    base_id: UUID | None = field(default=None)

    @classmethod
    def open(cls, visitor: Visitor, slug: str, *, is_binary: bool) -> "RiskMapFeed":
        region = region_seen(visitor, slug)
        horizon_sec = horizon_of(visitor)
        newest = find_newest_served(region.pk, horizon_sec)
        if newest is None:
            reason = f"no forecast of {horizon_sec} s there"
            raise SocketClosedError(NOT_FOUND, reason)
        return cls(region, horizon_sec, is_binary, newest.pk)

    @property
    def group(self) -> str:
        return forecasts_group(self.region.pk, self.horizon_sec)

    @property
    def what(self) -> Hashable:
        return self.route, self.region.slug

    def may_see(self, identity: Identity) -> bool:
        try:
            region = find_known_region(self.region.slug, access=identity.access)
        except RegionNotFoundError:
            return False
        return may_see_region(identity.access, region)

    async def first(self, joined: Joined) -> Sequence[Frame]:
        """Send nothing: one that has missed something asks for the whole map."""
        if joined.missed:
            news = msgspec.json.decode(joined.missed[0].body, type=ForecastNews)
            self.base_id = news.before_id
        return ()

    async def frames(self, entry: Entry | None, at: Position) -> Sequence[Frame]:
        if entry is None:
            return ()
        newest = await made_once(entry, "newest", self._newest)
        base_id = self.base_id
        if newest is None or newest.pk == base_id:
            return ()
        self.base_id = newest.pk

        def make() -> Frame:
            write = binary_frame if self.is_binary else json_frame
            return write(entry, _loaded(base_id), newest)

        return [await made_once(entry, (base_id, self.is_binary), make)]

    def _newest(self) -> Forecast | None:
        # The table, not the message: one made for a moment in the past changes nothing.
        return find_newest_served(self.region.pk, self.horizon_sec)


def region_seen(visitor: Visitor, slug: str) -> Region:
    try:
        return find_known_region(slug, access=visitor.identity.access)
    except RegionNotFoundError as error:
        raise SocketClosedError(NOT_FOUND, "there is no such region") from error


def horizon_of(visitor: Visitor) -> int:
    text = visitor.query.get("horizon_sec", str(DAY_S))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise SocketClosedError(BAD_REQUEST, "horizon_sec is a number of seconds")
    if not 1 <= int(text) <= MOST_HORIZON_SEC:
        raise SocketClosedError(BAD_REQUEST, "horizon_sec is out of range")
    return int(text)


def changed_cells(
    before: ForecastColumns | None, now: ForecastColumns
) -> ForecastColumns:
    """Keep the cells whose figures differ; all of them for another grid."""
    if before is None or not np.array_equal(before.cells, now.cells):
        return now
    differs = np.zeros(now.cells.size, dtype=np.bool_)
    for name in FIGURES:
        differs |= getattr(before, name) != getattr(now, name)
    return now.take(differs)


def json_frame(entry: Entry, base: Forecast | None, newest: Forecast) -> bytes:
    changed, is_whole = _delta(base, newest)
    head = msgspec.json.encode(_head(entry, None if is_whole else base))
    answer = RiskMap.of(newest.region, newest, aggregated=[])
    body = Rows(answer, risk_rows(changed)).encode()
    return head[:-1] + b',"map":' + body + b"}"


def binary_frame(entry: Entry, base: Forecast | None, newest: Forecast) -> bytes:
    changed, is_whole = _delta(base, newest)
    head = msgspec.json.encode(
        BinaryHead(
            **msgspec.structs.asdict(_head(entry, None if is_whole else base)),
            map=ForecastHead.of(newest.region, newest),
            cell_count=int(changed.cells.size),
        )
    )
    # The arrays begin where a view of them can be made in the client's memory.
    head += b" " * (-(len(MAGIC) + 4 + len(head)) % ALIGNMENT)
    arrays = [changed.cells.astype("<u8").tobytes()]
    arrays += [getattr(changed, name).astype("<f4").tobytes() for name in FIGURES]
    return b"".join((MAGIC, len(head).to_bytes(4, "little"), head, *arrays))


def _delta(base: Forecast | None, newest: Forecast) -> tuple[ForecastColumns, bool]:
    now = get_columns(newest)
    before = None if base is None else get_columns(base)
    is_whole = before is None or not np.array_equal(before.cells, now.cells)
    return changed_cells(before, now), is_whole


def _head(entry: Entry, base: Forecast | None) -> DeltaHead:
    return DeltaHead(
        epoch=entry.position.epoch,
        offset=entry.position.offset,
        id=msgspec.json.decode(entry.body, type=ForecastNews).id,
        base_forecast_id=None if base is None else base.pk,
    )


def _loaded(forecast_id: UUID | None) -> Forecast | None:
    """Read a forecast that may have been deleted since."""
    return Forecast.objects.filter(pk=forecast_id).first() if forecast_id else None
