"""Sentences for a terminal: who sees a region, which version serves, and where."""

from collections.abc import Iterator

from scoring.models import ModelVersion, Region
from scoring.selectors.model_versions import find_champion

ADDRESS = "http://127.0.0.1:8000"


def on_visibility(region: Region) -> str:
    if region.is_public:
        return f"Region {region.slug} is public: everybody sees its forecasts."
    owner = region.owner
    also = "" if owner is None else f" and to keys and members of {owner.slug}"
    return (
        f"Region {region.slug} is private: visible to staff{also};"
        f" manage.py set_region_access {region.slug} --public opens it."
    )


def on_fitted(version: ModelVersion) -> Iterator[str]:
    """Say after a fit which version serves, and where its map is."""
    region = version.region
    champion = find_champion(region)
    if champion is None or champion.pk == version.pk:
        yield f"{version} serves from now on."
    else:
        yield (
            f"{version} is a candidate, {champion} still serves. Promote it by"
            f" POST /api/v1/models/{version.pk}/promote, or fit with --promote REASON."
        )
    yield on_visibility(region)
    yield f"Map, while manage.py up runs: {ADDRESS}/?region={region.slug}"
