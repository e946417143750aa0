"""Which detectors can be used where, and who may change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotations.models import Label
from datasets.models import Membership
from datasets.services import purge
from training import services
from training.models import Detector, InferenceRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def theirs(outsider: Any) -> Detector:
    """A detector that was trained on the outsider's own dataset."""
    return Detector.objects.create(
        name="Theirs",
        kind="trained",
        dataset=outsider.memberships.get().dataset,
        architecture="x",
        input_size=9,
        labels=[{"id": 1, "name": "Angel"}],
        folder="x",
    )


def use(detector: Detector, dataset: Any, user: Any, label: Label) -> InferenceRun:
    choice: dict[str, Any] = {"artwork_id": None, "threshold": 0.5, "mapping": {"1": label.pk}}
    return services.start_inference(dataset=dataset, user=user, detector_id=detector.pk, enqueue=False, **choice)


def test_members_of_both_datasets_use_the_detector_of_one_on_the_other(
    theirs: Detector, dataset: Any, owner: Any, label: Label, client_of: Callable[..., Any]
) -> None:
    url = f"/api/datasets/{dataset.pk}/detectors/"
    assert client_of(owner).get(url).json()["results"] == []
    with pytest.raises(services.Refusal):
        use(theirs, dataset, owner, label)
    Membership.objects.create(dataset=theirs.dataset, user=owner, role="viewer")
    (listed,) = client_of(owner).get(url).json()["results"]
    assert (listed["id"], listed["dataset_name"]) == (theirs.pk, "Otto's own")
    assert use(theirs, dataset, owner, label).detector == theirs
    page = client_of(owner).get(f"/datasets/{dataset.pk}/detectors/").content.decode()
    assert "From “Otto&#x27;s own”" in page and "data-use" in page and "data-delete" not in page


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_only_the_dataset_that_trained_it_changes_it(
    method: str, theirs: Detector, dataset: Any, owner: Any, client_of: Callable[..., Any]
) -> None:
    Membership.objects.create(dataset=theirs.dataset, user=owner, role="viewer")
    change = getattr(client_of(owner), method)
    body = {"data": {"name": "Ours"}, "content_type": "application/json"}
    assert change(f"/api/datasets/{dataset.pk}/detectors/{theirs.pk}/", **body).status_code == 404
    assert change(f"/api/datasets/{theirs.dataset_id}/detectors/{theirs.pk}/", **body).status_code == 403
    theirs.refresh_from_db()
    assert (theirs.name, theirs.deleted_at) == ("Theirs", None)


def test_a_run_keeps_the_name_of_a_detector_that_went_with_its_dataset(
    theirs: Detector, dataset: Any, owner: Any, label: Label, client_of: Callable[..., Any]
) -> None:
    Membership.objects.create(dataset=theirs.dataset, user=owner, role="viewer")
    run = use(theirs, dataset, owner, label)
    services.cancel_run(run)
    own = theirs.dataset
    assert own is not None
    own.deleted_at = timezone.now() - timedelta(days=40)
    own.save()
    assert purge()["datasets"] == 1
    address = f"/api/datasets/{dataset.pk}/runs/{run.pk}/"
    told = client_of(owner).get(address).json()["inference"]
    assert (told["detector"], told["detector_name"]) == (None, "Theirs")
    assert client_of(owner).post(f"{address}resume/").json()["code"] == "unknown_detector"
    assert "Theirs on all artworks" in client_of(owner).get(f"/datasets/{dataset.pk}/training/").content.decode()


def test_the_page_of_a_training_knows_the_detector_that_there_is_now(
    ready: Any, owner: Any, theirs: Detector, client_of: Callable[..., Any]
) -> None:
    choice = services.TrainingChoice("retinanet_mobilenet_v2", "quick", "none")
    run = services.start_training(dataset=ready, user=owner, choice=choice, enqueue=False)

    def told() -> tuple[Any, Any]:
        known = client_of(owner).get(run.get_absolute_url()).context["data"]["run"]["training"]
        return known["detector"], known["detector_name"]

    assert told() == (None, None)
    Detector.objects.filter(pk=theirs.pk).update(run=run, name="Renamed")
    assert told() == (theirs.pk, "Renamed")
    Detector.objects.filter(pk=theirs.pk).update(deleted_at=timezone.now())
    assert told() == (None, None)


@pytest.mark.parametrize(("choice", "code"), [({"threshold": 5.0}, "invalid_threshold")])
def test_an_impossible_threshold_is_refused_by_the_service_too(
    choice: dict[str, Any], code: str, dataset: Any, owner: Any, label: Label
) -> None:
    with pytest.raises(services.Refusal) as refused:
        services.start_inference(
            dataset=dataset, user=owner, detector_id=1, artwork_id=None, mapping={"1": label.pk}, **choice
        )
    assert refused.value.get_codes() == code


def test_concepts_without_boxes_are_listed_so_that_nobody_wonders_where_they_are(
    dataset: Any, owner: Any, label: Label, client_of: Callable[..., Any]
) -> None:
    told = client_of(owner).get(f"/api/datasets/{dataset.pk}/training-options/").json()
    assert [(row["name"], row["boxes"]) for row in told["labels"]] == [(label.name, 0)]
    page = client_of(owner).get(f"/datasets/{dataset.pk}/training/").content.decode()
    assert f'value="{label.pk}"' in page and f'value="{label.pk}" checked' not in page
