"""API addresses of the app training, below /api/."""

from django.urls import path

from training import api

app_name = "training-api"
IN_DATASET = "datasets/<int:dataset_id>/"
urlpatterns = [
    path(f"{IN_DATASET}detectors/", api.DetectorList.as_view(), name="detector-list"),
    path(f"{IN_DATASET}detectors/<int:detector_id>/", api.DetectorDetail.as_view(), name="detector-detail"),
    path(
        f"{IN_DATASET}detectors/<int:detector_id>/files/<str:name>/", api.DetectorFile.as_view(), name="detector-file"
    ),
    path(f"{IN_DATASET}detectors/<int:detector_id>/onnx/", api.DetectorOnnx.as_view(), name="detector-onnx"),
    path(
        f"{IN_DATASET}detectors/<int:detector_id>/evaluation/",
        api.DetectorEvaluation.as_view(),
        name="detector-evaluation",
    ),
    path(f"{IN_DATASET}catalogue/", api.Catalogue.as_view(), name="catalogue"),
    path(f"{IN_DATASET}catalogue/<str:key>/fetch/", api.CatalogueFetch.as_view(), name="catalogue-fetch"),
    path(f"{IN_DATASET}catalogue/<str:key>/cancel/", api.CatalogueCancel.as_view(), name="catalogue-cancel"),
    path(f"{IN_DATASET}training-options/", api.TrainingOptions.as_view(), name="training-options"),
    path(f"{IN_DATASET}augmentation-preview/", api.AugmentationPreview.as_view(), name="augmentation-preview"),
    path(f"{IN_DATASET}training-runs/", api.TrainingRunList.as_view(), name="training-run-list"),
    path(f"{IN_DATASET}inference-runs/", api.InferenceRunList.as_view(), name="inference-run-list"),
    path(f"{IN_DATASET}runs/<int:run_id>/", api.RunDetail.as_view(), name="run-detail"),
    path(f"{IN_DATASET}runs/<int:run_id>/cancel/", api.RunCancel.as_view(), name="run-cancel"),
    path(f"{IN_DATASET}runs/<int:run_id>/resume/", api.RunResume.as_view(), name="run-resume"),
    path(f"{IN_DATASET}runs/<int:run_id>/events/", api.RunEvents.as_view(), name="run-events"),
]
