"""Every address of the platform."""

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from analytics import urls as analytics_urls
from riskplatform.api import health
from riskplatform.api.problem_pages import problem_page
from scoring import urls as scoring_urls

admin.autodiscover()
urlpatterns = [
    path("", include(scoring_urls.urlpatterns)),
    path("api/v1/", include((analytics_urls.api_urlpatterns, "analytics"))),
    path("api/v1/", include((scoring_urls.api_urlpatterns, "scoring"))),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("problems/<slug:slug>", problem_page, name="problem"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("admin/", admin.site.urls),
]
handler404 = "riskplatform.api.problems.not_found"
handler500 = "riskplatform.api.problems.server_error"
