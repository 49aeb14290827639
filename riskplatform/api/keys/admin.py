"""Staff see who holds which key, and revoke keys; a secret is never shown."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from riskplatform.api.keys.models import ApiKey, Membership, Organisation
from riskplatform.api.keys.services import revoke_keys
from riskplatform.api.read_only_admin import ReadOnlyAdmin


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin[Organisation]):
    list_display = ("slug", "name", "created_at")
    search_fields = ("slug", "name")
    ordering = ("slug",)

    def has_delete_permission(
        self, request: HttpRequest, obj: Organisation | None = None
    ) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin[Membership]):
    list_display = ("user", "organisation", "role", "created_at")
    list_filter = ("organisation", "role")
    list_select_related = ("user", "organisation")
    autocomplete_fields = ("user", "organisation")
    search_fields = ("user__username", "organisation__slug")
    ordering = ("organisation__slug", "user__username")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey]):
    list_display = (
        "__str__",
        "organisation",
        "name",
        "scope_list",
        "usable",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("organisation",)
    list_select_related = ("organisation",)
    search_fields = ("=prefix", "name")
    fields = (
        *("organisation", "name", "prefix", "scopes", "created_at"),
        *("expires_at", "revoked_at", "last_used_at"),
    )
    ordering = ("organisation__slug", "name", "pk")
    actions = ("revoke",)

    @admin.display(description="scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(boolean=True)
    def usable(self, key: ApiKey) -> bool:
        return key.is_usable_at(timezone.now())

    @admin.action(description="Revoke the selected keys", permissions=["operate"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        count = revoke_keys(list(chosen))
        self.message_user(request, f"{count} keys revoked.")
