"""Who works in the curators' admin."""

from typing import Any

import pytest

from datasets import services
from datasets.models import Artwork, Dataset, Role


@pytest.fixture
def desk(dataset: Any, django_user_model: Any, client_of: Any) -> Any:
    """A client of a curator of `dataset`, who got into the admin by the role alone."""
    user = django_user_model.objects.create_user("cleo")
    services.set_role(dataset=dataset, user=user, role=Role.CURATOR)
    return client_of(user)


@pytest.fixture
def foreign(outsider: Any, make_artwork: Any) -> Artwork:
    """An artwork of a dataset that the curator does not know."""
    return make_artwork(Dataset.objects.get(name="Otto's own"), 99, title="Not for you")
