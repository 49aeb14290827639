"""What the API of portfolios takes and gives."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from riskplatform.api.paging import PageQuery
from scoring.api.schemas import AwareTime, Slug

# Text without control characters: PostgreSQL cannot store a NUL. In Python `$` also
# stands before a newline that ends the text, so patterns rule that out by themselves.
PLAIN = r"^(?![\s\S]*[\u0000-\u001f\u007f])"

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=PLAIN)]
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=PLAIN,
        description="The client's own name of it, unique in the portfolio.",
    ),
]
CurrencyCode = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{3}$(?!\n)",
        description="ISO 4217 code; XXX where values are not money.",
    ),
]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="Degrees north.")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="Degrees east.")]
Money = Annotated[
    Decimal,
    Meta(description="Not negative, below 10^18, as text; rounded to two places."),
]
CurveSlug = Annotated[
    str,
    Meta(
        pattern=r"^[-a-zA-Z0-9_]{1,50}$(?!\n)", description="Slug of a vulnerability."
    ),
]
CurvePoint = Annotated[
    list[float],
    Meta(
        min_length=2,
        max_length=2,
        description="Severity, ascending from point to point; damage ratio, 0 to 1.",
    ),
]


class PortfolioQuery(PageQuery, forbid_unknown_fields=True):
    name: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=200,
                pattern=PLAIN,
                description="Text that the name contains.",
            ),
        ]
        | None
    ) = None
    currency: CurrencyCode | None = None


class NewPortfolio(Struct, forbid_unknown_fields=True):
    name: Name
    currency: CurrencyCode


class PortfolioChange(Struct, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    currency: CurrencyCode | UnsetType = UNSET


class OutsideTotals(Struct):
    """Assets that lie in no cell of any region: kept, and never assessed."""

    count: int
    value: Money


class PortfolioDetail(Struct):
    id: UUID
    name: str
    currency: str
    revision: int
    asset_count: int
    total_value: Money
    outside: OutsideTotals
    created_at: AwareTime
    updated_at: AwareTime


class PortfolioList(Struct):
    results: list[PortfolioDetail]
    next: str | None


class AssetQuery(PageQuery, forbid_unknown_fields=True):
    region: Slug | None = None
    reference: Reference | None = None
    outside: (
        Annotated[
            bool, Meta(description="true: only those in no region; false: the others.")
        ]
        | None
    ) = None


class NewAsset(Struct, forbid_unknown_fields=True):
    reference: Reference
    lat: Latitude
    lon: Longitude
    value: Money
    name: Annotated[str, Meta(max_length=200, pattern=PLAIN)] = ""
    deductible: Money = Decimal(0)
    limit: Money | None = None
    vulnerability: CurveSlug | None = None


class AssetChange(Struct, forbid_unknown_fields=True):
    reference: Reference | UnsetType = UNSET
    lat: Latitude | UnsetType = UNSET
    lon: Longitude | UnsetType = UNSET
    value: Money | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=200, pattern=PLAIN)] | UnsetType = UNSET
    deductible: Money | UnsetType = UNSET
    limit: Money | UnsetType | None = UNSET
    vulnerability: CurveSlug | UnsetType | None = UNSET


class AssetCell(Struct):
    region: str
    cell_id: int
    cell_hex: str


class AssetDetail(Struct):
    id: UUID
    reference: str
    name: str
    lat: Latitude
    lon: Longitude
    value: Money
    deductible: Money
    limit: Money | None
    currency: str
    vulnerability: str | None
    places: list[AssetCell]
    is_outside: bool
    updated_at: AwareTime


class AssetList(Struct):
    results: list[AssetDetail]
    next: str | None


class AssetImportQuery(Struct, forbid_unknown_fields=True):
    replace: Annotated[
        bool, Meta(description="A row replaces the asset of its reference.")
    ] = False
    dry_run: Annotated[bool, Meta(description="Check every row, keep nothing.")] = False


class AssetImportReceipt(Struct):
    format: Literal["minimal", "oed"]
    rows: int
    created: int
    replaced: int
    is_dry_run: bool
    outside: OutsideTotals
    portfolio: PortfolioDetail


class VulnerabilityQuery(Struct, forbid_unknown_fields=True):
    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000, description="Rows on a page.")] = 100


class NewVulnerability(Struct, forbid_unknown_fields=True):
    slug: CurveSlug
    name: Name
    points: Annotated[
        list[CurvePoint],
        Meta(min_length=1, max_length=200, description="Linear in between."),
    ]


class VulnerabilityDetail(Struct):
    slug: str
    name: str
    is_shared: bool
    points: list[CurvePoint]


class VulnerabilityList(Struct):
    results: list[VulnerabilityDetail]
    next: str | None
