"""What an import of an uploaded file is to do, as it is stored beside the file."""

from msgspec import Struct

from riskplatform.api.keys.models import Organisation
from scoring.models import Region
from scoring.services.portfolios.asset_layouts import Format

DEFAULT_RESOLUTION = 8


class NewRegion(Struct, kw_only=True):
    """A region that is made where there is none of its slug."""

    name: str
    timezone: str
    resolution: int | None = None
    is_public: bool = False

    def region(self, slug: str, *, owner: Organisation | None) -> Region:
        return Region(
            slug=slug,
            name=self.name,
            timezone=self.timezone,
            resolution=DEFAULT_RESOLUTION
            if self.resolution is None
            else self.resolution,
            is_public=self.is_public,
            owner=owner,
        )


class EventInstructions(Struct, kw_only=True):
    """`words` are options of reading as they are typed; with `new` the region is."""

    region: str
    new: NewRegion | None = None
    words: list[str] = []
    updates: bool = False


class AssetInstructions(Struct, kw_only=True):
    """The portfolio by its name; with a `currency` it is made where there is none.

    `words` are options of the dialect as they are typed.
    """

    portfolio: str
    currency: str = ""
    layout: Format | None = None
    column_map: str = ""
    words: list[str] = []
    is_replacing: bool = False
    is_skipping_unlocated: bool = False


Instructions = EventInstructions | AssetInstructions
