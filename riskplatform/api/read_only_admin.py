"""Admin of rows that only services write."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db.models import Model
from django.http import HttpRequest

from riskplatform.kernel.errors import ApplicationError

Row = TypeVar("Row", bound=Model)
Parent = TypeVar("Parent", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[Row]):
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Row | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Row | None = None
    ) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Check the permission to change, which actions need and forms do not give."""
        codename = get_permission_codename("change", self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def change_each(
        self, request: HttpRequest, rows: Iterable[Row], change: Callable[[Row], object]
    ) -> None:
        """Change row after row, and show for each whether it worked."""
        for row in rows:
            try:
                change(row)
            except ApplicationError as error:
                self.message_user(request, error.message, messages.WARNING)
            else:
                self.message_user(request, f"{row}: done.", messages.SUCCESS)


class ReadOnlyInline(admin.TabularInline[Row, Parent]):
    """Rows of another table below a row; its `fields` are read-only too."""

    extra = 0
    can_delete = False

    def has_add_permission(self, *args: Any) -> bool:
        return False
