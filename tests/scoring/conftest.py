"""An organisation and a region, for whatever is scored."""

import pytest

from riskplatform.api.keys.models import Organisation
from scoring.models import Region
from tests.support.factories import make_organisation, make_region


@pytest.fixture
def acme(db: None) -> Organisation:
    return make_organisation("acme")


@pytest.fixture
def region(db: None) -> Region:
    return make_region()
