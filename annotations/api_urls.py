"""API addresses of the app annotations, below /api/."""

from django.urls import path

from annotations import api

app_name = "annotations-api"
DATASET = "datasets/<int:dataset_id>"
ARTWORK = f"{DATASET}/artworks/<int:artwork_id>"
urlpatterns = [
    path(f"{DATASET}/labels/", api.LabelList.as_view(), name="labels"),
    path(f"{DATASET}/labels/<int:label_id>/", api.LabelDetail.as_view(), name="label"),
    path(f"{DATASET}/suggestions/", api.AllSuggestions.as_view(), name="all-suggestions"),
    path(f"{DATASET}/export/coco/", api.CocoExport.as_view(), name="export-coco"),
    path(f"{ARTWORK}/boxes/", api.Boxes.as_view(), name="boxes"),
    path(f"{ARTWORK}/edits/", api.Edits.as_view(), name="edits"),
    path(f"{ARTWORK}/history/", api.History.as_view(), name="history"),
    path(f"{ARTWORK}/history/<int:revision>/", api.PastBoxes.as_view(), name="past"),
    path(f"{ARTWORK}/history/<int:revision>/restore/", api.Restore.as_view(), name="restore"),
    path(f"{ARTWORK}/suggestions/", api.Suggestions.as_view(), name="suggestions"),
]
