"""POST /portfolios/{id}/assets/import: a file of assets, all of it or nothing."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from analytics.api.body import body_pieces
from analytics.errors import UnsupportedBodyError
from analytics.ingest.unpacking import limited, unpacked
from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from scoring.api.portfolio_money import money_text
from scoring.api.portfolio_schemas import AssetImportQuery, AssetImportReceipt
from scoring.api.portfolios import PortfolioView, portfolio_body, portfolio_of
from scoring.services.portfolios.asset_import import (
    AssetImport,
    ImportOptions,
    import_assets,
)

MAX_UNPACKED_BYTES = 1 << 27


class AssetImportView(PortfolioView):
    @extend_schema(
        operation_id="assets_import",
        parameters=[*query_parameters(AssetImportQuery), IDEMPOTENCY_KEY],
        request={"text/csv": {"type": "string"}},
        responses={(201, "application/json"): body_schema(AssetImportReceipt)},
    )
    def post(self, request: Request, portfolio_id: UUID) -> HttpResponse:
        """Import CSV, plain or gzip: our own columns, or an OED location file.

        Own columns: id, lat, lon, value, and where wanted currency, name,
        deductible, limit, vulnerability. Each fault of a row is one of `errors`,
        with row, column, code and reason; one fault, and nothing is imported.
        """
        query = decode_query(request, AssetImportQuery)
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

        def create() -> dict[str, Any]:
            content = unpacked(
                pieces,
                encoding=request.headers.get("Content-Encoding", "").strip().lower(),
                max_bytes=MAX_UNPACKED_BYTES,
            )
            return _receipt(import_assets(portfolio, content, options=options))

        return answer_creation(request, create, body=body)


def _check_content_type(request: Request) -> None:
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if media_type.lower() != "text/csv":
        raise UnsupportedBodyError(
            f"The Content-Type {media_type[:60]!r} is not taken. Use text/csv."
        )


def _receipt(done: AssetImport) -> dict[str, Any]:
    return {
        "format": done.format,
        "rows": done.row_count,
        "created": done.created_count,
        "replaced": done.replaced_count,
        "is_dry_run": done.is_dry_run,
        "outside": {
            "count": done.outside_count,
            "value": money_text(done.outside_value),
        },
        "portfolio": portfolio_body(done.portfolio),
    }
