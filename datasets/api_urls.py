"""API addresses of the app datasets, below /api/."""

from django.urls import path

from datasets import api

app_name = "datasets-api"
DATASET = "datasets/<int:dataset_id>/"
urlpatterns = [
    path("datasets/", api.DatasetList.as_view(), name="dataset-list"),
    path(DATASET, api.DatasetDetail.as_view(), name="dataset-detail"),
    path(f"{DATASET}restore/", api.DatasetRestore.as_view(), name="dataset-restore"),
    path(f"{DATASET}members/", api.MemberList.as_view(), name="member-list"),
    path(f"{DATASET}members/<int:membership_id>/", api.MemberDetail.as_view(), name="member-detail"),
    path(f"{DATASET}artworks/", api.ArtworkList.as_view(), name="artwork-list"),
    path(f"{DATASET}artworks/<int:artwork_id>/", api.ArtworkDetail.as_view(), name="artwork-detail"),
    path(f"{DATASET}artworks/<int:artwork_id>/progress/", api.ArtworkProgress.as_view(), name="artwork-progress"),
    path(f"{DATASET}artworks/<int:artwork_id>/restore/", api.ArtworkRestore.as_view(), name="artwork-restore"),
    path(f"{DATASET}archives/", api.ArchiveList.as_view(), name="archive-list"),
    path(f"{DATASET}archives/<int:archive_id>/", api.ArchiveDetail.as_view(), name="archive-detail"),
    path(f"{DATASET}archives/<int:archive_id>/members/", api.ArchiveMembers.as_view(), name="archive-members"),
]
