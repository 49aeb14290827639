"""POST /portfolios/{id}/assets/import: a file of assets, all of it or nothing."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self, cast
from uuid import UUID

from django.conf import settings
from msgspec import Meta, Struct
from rest_framework.request import Request

from analytics.api.body import body_pieces
from analytics.errors import UnsupportedBodyError
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

router = Router()
MAX_UNPACKED_BYTES = 1 << 27
Format = Literal["minimal", "oed"]


class AssetImportQuery(Struct, forbid_unknown_fields=True):
    replace: Annotated[
        bool, Meta(description="A row replaces the asset of its reference.")
    ] = False
    dry_run: Annotated[bool, Meta(description="Check every row, keep nothing.")] = False


class AssetImportReceipt(Struct):
    format: Format
    rows: int
    created: int
    replaced: int
    is_dry_run: bool
    outside: OutsideTotals
    portfolio: PortfolioDetail

    @classmethod
    def of(cls, done: AssetImport) -> Self:
        return cls(
            format=cast("Format", done.format),
            rows=done.row_count,
            created=done.created_count,
            replaced=done.replaced_count,
            is_dry_run=done.is_dry_run,
            outside=OutsideTotals(
                count=done.outside_count, value=to_cents(done.outside_value)
            ),
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
    _check_content_type(request)
    options = ImportOptions(is_replacing=query.replace, is_dry_run=query.dry_run)
    pieces: Iterable[bytes] = limited(
        body_pieces(request), max_bytes=settings.ASSETS_MAX_BODY_BYTES
    )
    body = None
    if "Idempotency-Key" in request.headers:
        # One fingerprint for all of it, so it is read before it is imported.
        body = b"".join(pieces)
        pieces = (body,)

    def create() -> AssetImportReceipt:
        content = unpacked(
            pieces,
            encoding=request.headers.get("Content-Encoding", "").strip().lower(),
            max_bytes=MAX_UNPACKED_BYTES,
        )
        return AssetImportReceipt.of(import_assets(portfolio, content, options=options))

    return Once(create, body=body)


def _check_content_type(request: Request) -> None:
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if media_type.lower() != "text/csv":
        raise UnsupportedBodyError(
            f"The Content-Type {media_type[:60]!r} is not taken. Use text/csv."
        )
