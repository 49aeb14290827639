"""Static files under names that hold their digest, so that browsers keep them."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is untyped
    # Else browsers cache the first module only, and request what it imports again.
    support_js_module_import_aggregation = True
