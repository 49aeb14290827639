"""POST /portfolios/{id}/assets/import: a file of assets, all of it or nothing."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self
from uuid import UUID

from django.conf import settings
from msgspec import Meta, Struct
from msgspec.structs import asdict
from rest_framework.request import Request

from analytics.api.body import body_pieces
from analytics.errors import UnsupportedBodyError
from analytics.ingest.reading_options import ReadingOptions as FileOptions
from analytics.ingest.unpacking import limited, unpacked
from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router
from scoring.api.assets import ASSETS
from scoring.api.portfolios import (
    WRITERS,
    OutsideTotals,
    PortfolioDetail,
    portfolio_of,
)
from scoring.api.schemas import to_cents
from scoring.services.portfolios.asset_import import (
    AssetImport,
    ImportOptions,
    import_assets,
)
from scoring.services.portfolios.asset_layouts import Format, ReadingOptions

router = Router()
MAX_UNPACKED_BYTES = 1 << 27


class AssetImportQuery(Struct, forbid_unknown_fields=True):
    replace: Annotated[
        bool, Meta(description="A row replaces the asset of its reference.")
    ] = False
    dry_run: Annotated[bool, Meta(description="Check every row, keep nothing.")] = False
    layout: (
        Annotated[
            Literal["minimal", "oed", "openquake", "climada"],
            Meta(description="What program the file is for; by its header else."),
        ]
        | None
    ) = None
    map: Annotated[
        str,
        Meta(
            max_length=1_000,
            description="Columns by field, such as id=asset,value=building+contents.",
        ),
    ] = ""
    skip_unlocated: Annotated[
        bool, Meta(description="Leave out rows without coordinates.")
    ] = False
    delimiter: (
        Annotated[str, Meta(description="What separates fields; found else.")] | None
    ) = None
    decimal: Annotated[str, Meta(description="Decimal sign: . or ,")] | None = None
    thousands: (
        Annotated[str, Meta(description="What separates thousands, if anything.")]
        | None
    ) = None


class AssetImportReceipt(Struct):
    format: Format
    rows: int
    created: int
    replaced: int
    is_dry_run: bool
    outside: OutsideTotals
    ignored_terms: Annotated[
        dict[str, int],
        Meta(description="Assets by the column of a term that no asset can have."),
    ]
    without_curve: int
    unlocated: Annotated[int, Meta(description="Rows that were left out.")]
    repeated: Annotated[
        int, Meta(description="Further rows of a location, for other perils.")
    ]
    portfolio: PortfolioDetail

    @classmethod
    def of(cls, done: AssetImport) -> Self:
        return cls(
            format=done.format,
            rows=done.row_count,
            created=done.created_count,
            replaced=done.replaced_count,
            is_dry_run=done.is_dry_run,
            outside=OutsideTotals(
                count=done.outside_count, value=to_cents(done.outside_value)
            ),
            ignored_terms=done.ignored_terms,
            without_curve=done.without_curve_count,
            unlocated=done.unlocated_count,
            repeated=done.repeated_count,
            portfolio=PortfolioDetail.of(done.portfolio),
        )


@router.post(
    f"{ASSETS}/import", WRITERS, status=201, bodies={"text/csv": {"type": "string"}}
)
def assets_import(
    request: Request, portfolio_id: UUID, query: AssetImportQuery
) -> Once[AssetImportReceipt]:
    """Import CSV, plain or gzip: our own columns, or an OED location file.

    Own columns: id, lat, lon, value, and where wanted currency, name,
    deductible, limit, vulnerability. Each fault of a row is one of `errors`,
    with row, column, code and reason; one fault, and nothing is imported.
    """
    portfolio = portfolio_of(request, portfolio_id)
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if media_type.lower() != "text/csv":
        raise UnsupportedBodyError(
            f"The Content-Type {media_type[:60]!r} is not taken. Use text/csv."
        )
    options = ImportOptions(is_replacing=query.replace, is_dry_run=query.dry_run)
    reading = ReadingOptions(
        layout=query.layout,
        column_map=query.map,
        is_skipping_unlocated=query.skip_unlocated,
        file=FileOptions.said(asdict(query)),
    )
    most, body = settings.ASSETS_MAX_BODY_BYTES, None
    pieces: Iterable[bytes] = limited(body_pieces(request), max_bytes=most)
    if "Idempotency-Key" in request.headers:
        # One fingerprint for all of it, so it is read before it is imported.
        body = b"".join(pieces)
        pieces = (body,)

    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    content = unpacked(pieces, encoding=encoding, max_bytes=MAX_UNPACKED_BYTES)
    return Once(
        lambda: AssetImportReceipt.of(
            import_assets(portfolio, content, options=options, reading=reading)
        ),
        body=body,
    )
