"""What a portfolio may lose, again with every new forecast of its region."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

import msgspec

from perf.realtime.closing import BAD_REQUEST, NOT_FOUND, SocketClosedError
from perf.realtime.entry import Visitor
from perf.realtime.following import Frame, framed, made_once
from perf.realtime.history import Entry, Position
from perf.realtime.hub import Joined
from perf.realtime.threads import in_thread
from riskplatform.api.keys.holders import Identity
from riskplatform.api.keys.models import Organisation
from scoring.api.assessments import AssessmentDetail
from scoring.consumers.rights import PORTFOLIOS, acts_for, organisation_of
from scoring.consumers.risk_map import horizon_of, region_seen
from scoring.errors import NotAssessableError, PortfolioNotFoundError
from scoring.models import Region
from scoring.selectors.assessment_inputs import find_regions
from scoring.selectors.forecasts import find_newest_served
from scoring.selectors.portfolios import get_portfolio
from scoring.services.announcing import forecasts_group
from scoring.services.assessments import assess_against


class PortfolioAssessed(msgspec.Struct):
    """The assessment as `POST /assess/{id}` answers it."""

    assessment: AssessmentDetail
    type: str = "portfolio.assessed"


@dataclass(slots=True, eq=False)
class PortfolioFeed:
    route: ClassVar[str] = "portfolios"
    is_state: ClassVar[bool] = True
    look_every_s: ClassVar[float | None] = None

    organisation: Organisation
    portfolio_id: UUID
    region: Region
    horizon_sec: int
    shown: UUID | None = field(default=None)

    @classmethod
    def open(cls, visitor: Visitor, portfolio_id: UUID) -> "PortfolioFeed":
        organisation = organisation_of(visitor, PORTFOLIOS)
        try:
            portfolio = get_portfolio(organisation, portfolio_id)
        except PortfolioNotFoundError as error:
            raise SocketClosedError(NOT_FOUND, "there is no such portfolio") from error
        slug = visitor.query.get("region")
        if slug is not None:
            regions = [region_seen(visitor, slug)]
        else:
            regions = find_regions(portfolio)
        if len(regions) != 1:
            reason = f"its assets lie in {len(regions)} regions, name one as region"
            raise SocketClosedError(BAD_REQUEST, reason)
        return cls(organisation, portfolio_id, regions[0], horizon_of(visitor))

    @property
    def group(self) -> str:
        return forecasts_group(self.region.pk, self.horizon_sec)

    @property
    def what(self) -> Hashable:
        return self.route, self.organisation.pk, self.region.slug, self.portfolio_id

    def may_see(self, identity: Identity) -> bool:
        if not acts_for(identity, self.organisation.pk, PORTFOLIOS):
            return False
        try:
            portfolio = get_portfolio(self.organisation, self.portfolio_id)
        except PortfolioNotFoundError:
            return False
        return self.region in find_regions(portfolio)

    async def first(self, joined: Joined) -> Sequence[Frame]:
        return self._news(await in_thread(self._assess), joined.position)

    async def frames(self, entry: Entry | None, at: Position) -> Sequence[Frame]:
        if entry is None:
            return ()
        key = (self.route, self.portfolio_id)
        return self._news(await made_once(entry, key, self._assess), at)

    def _news(
        self, assessment: AssessmentDetail | None, at: Position
    ) -> Sequence[Frame]:
        if assessment is None or assessment.id == self.shown:
            return ()
        self.shown = assessment.id
        return (framed(at, PortfolioAssessed(assessment)),)

    def _assess(self) -> AssessmentDetail | None:
        """Assess it against the newest forecast; None if there is nothing to assess."""
        forecast = find_newest_served(self.region.pk, self.horizon_sec)
        if forecast is None:
            return None
        try:
            portfolio = get_portfolio(self.organisation, self.portfolio_id)
            return AssessmentDetail.of(assess_against(portfolio, forecast))
        except (NotAssessableError, PortfolioNotFoundError):
            return None
