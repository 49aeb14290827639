"""Static files under names that hold their digest, so that browsers keep them."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is untyped
    # Else only the first module is kept, and what it imports is asked for again.
    support_js_module_import_aggregation = True
