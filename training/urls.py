"""Pages of the app training."""

from django.urls import path

from training import views

app_name = "training"
urlpatterns = [
    path("datasets/<int:dataset_id>/detectors/", views.detectors, name="detectors"),
    path("datasets/<int:dataset_id>/detectors/<int:detector_id>/", views.detector, name="detector"),
    path("datasets/<int:dataset_id>/training/", views.training, name="training"),
    path("datasets/<int:dataset_id>/runs/", views.runs, name="runs"),
    path("datasets/<int:dataset_id>/runs/<int:run_id>/", views.run, name="run"),
]
