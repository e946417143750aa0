"""Pages of the app datasets, and the files of its artworks."""

from django.urls import path

from datasets import delivery, iiif, views

IMAGE = "datasets/<int:dataset_id>/artworks/<int:artwork_id>/iiif/<str:sha16>"

app_name = "datasets"
urlpatterns = [
    path("", views.dataset_list, name="list"),
    path("datasets/<int:dataset_id>/", views.detail, name="detail"),
    path("datasets/<int:dataset_id>/members/", views.members, name="members"),
    path(
        "datasets/<int:dataset_id>/artworks/<int:artwork_id>/files/<str:kind>/<str:sha16>/",
        delivery.file,
        name="file",
    ),
    path(IMAGE, iiif.Base.as_view(), name="iiif"),
    path(f"{IMAGE}/info.json", iiif.Information.as_view(), name="iiif_info"),
    path(f"{IMAGE}/<str:region>/<str:size>/0/default.jpg", iiif.Image.as_view(), name="iiif_image"),
]
