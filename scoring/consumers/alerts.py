"""Alerts of an organisation, as they change."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from analytics.errors import RegionNotFoundError
from perf.realtime.entry import Visitor
from perf.realtime.following import Frame, made_once
from perf.realtime.history import Entry, Position
from perf.realtime.hub import Joined
from riskplatform.api.keys.access import access_of_organisation
from riskplatform.api.keys.holders import Identity
from scoring.consumers.rights import ALERTS, acts_for, organisation_of
from scoring.selectors.regions import find_known_region
from scoring.services.announcing import alerts_group


class _About(msgspec.Struct):
    region: str


class _Metadata(msgspec.Struct):
    alert: _About


class _News(msgspec.Struct):
    metadata: _Metadata


@dataclass(frozen=True, slots=True)
class AlertFeed:
    route: ClassVar[str] = "alerts"
    is_state: ClassVar[bool] = False
    look_every_s: ClassVar[float | None] = None

    organisation_id: int

    @classmethod
    def open(cls, visitor: Visitor) -> "AlertFeed":
        return cls(organisation_of(visitor, ALERTS).pk)

    @property
    def group(self) -> str:
        return alerts_group(self.organisation_id)

    @property
    def what(self) -> Hashable:
        return self

    def may_see(self, identity: Identity) -> bool:
        return acts_for(identity, self.organisation_id, ALERTS)

    async def first(self, joined: Joined) -> Sequence[Frame]:
        return ()

    async def frames(self, entry: Entry | None, at: Position) -> Sequence[Frame]:
        if entry is None:
            return ()

        def make() -> Sequence[Frame]:
            return self._frames(entry)

        return await made_once(entry, "frames", make)

    def _frames(self, entry: Entry) -> Sequence[Frame]:
        """Leave out alerts about a region that was made private since."""
        slug = msgspec.json.decode(entry.body, type=_News).metadata.alert.region
        access = access_of_organisation(self.organisation_id)
        try:
            find_known_region(slug, access=access)
        except RegionNotFoundError:
            return ()
        return (entry.frame(),)
