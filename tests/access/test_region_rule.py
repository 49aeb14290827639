"""The rule about regions, as a function and as a query, is one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskplatform.api.keys.access import (
    PERMISSIONS,
    Access,
    access_of_organisation,
    may_change_models,
    may_see_region,
    models_changed,
    regions_seen,
)
from riskplatform.api.keys.models import Organisation, Scope
from scoring.models import AlertRule, Region
from tests.support.factories import DAY_S, make_organisation, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


@pytest.fixture
def organisations(db: None) -> list[Organisation]:
    """Make every kind of region there is."""
    owners = [make_organisation("acme"), make_organisation("other")]
    for owner in (None, *owners):
        for is_public in (True, False):
            slug = f"{'no' if owner is None else owner.slug}-{is_public}".lower()
            make_region(slug, owner=owner, is_public=is_public, rings=0)
    return owners


def test_the_function_and_the_query_say_the_same(
    organisations: list[Organisation],
) -> None:
    regions = list(Region.objects.all())
    ids = [None, *(owner.pk for owner in organisations)]

    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    @given(
        st.builds(
            Access,
            organisation_id=st.sampled_from(ids),
            scopes=st.frozensets(st.sampled_from(Scope.values)),
            permissions=st.frozensets(st.sampled_from(sorted(PERMISSIONS))),
        )
    )
    def check(access: Access) -> None:
        seen = {one.pk for one in regions if may_see_region(access, one)}
        changed = {one.pk for one in regions if may_change_models(access, one)}
        assert pks(regions_seen(access)) == seen
        assert pks(models_changed(access)) == changed
        assert pks(regions_seen(access) | models_changed(access)) == seen | changed

    check()


def pks(condition: object) -> set[int]:
    return set(Region.objects.filter(condition).values_list("pk", flat=True))


def test_rules_are_asked_where_their_organisation_sees_the_region(
    organisations: list[Organisation],
) -> None:
    for owner in organisations:
        for region in Region.objects.all():
            AlertRule.objects.create(
                organisation=owner,
                name=f"about {region.slug}",
                region=region,
                horizon_sec=DAY_S,
                metric=AlertRule.Metric.P_EVENT,
                threshold=0.5,
            )
    asked = {(rule.organisation, rule.region) for rule in AlertRule.objects.enabled()}
    assert asked == {
        (owner, region)
        for owner in organisations
        for region in Region.objects.all()
        if may_see_region(access_of_organisation(owner.pk), region)
    }


@pytest.mark.parametrize(
    "permissions",
    [(), ("scoring.view_region",), ("analytics.view_event",), tuple(PERMISSIONS)],
)
def test_the_installation_is_no_organisation(
    permissions: tuple[str, ...], organisations: list[Organisation]
) -> None:
    """Who acts for none owns nothing, though the owner of its regions is None."""
    nobody = Access(scopes=frozenset(Scope.values), permissions=frozenset(permissions))
    private = Region.objects.get(slug="no-false")
    assert may_see_region(nobody, private) == ("scoring.view_region" in permissions)
