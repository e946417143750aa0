"""Pages of the app annotations."""

from django.urls import path

from annotations import views

app_name = "annotations"
urlpatterns = [
    path("datasets/<int:dataset_id>/labels/", views.labels, name="labels"),
    path("datasets/<int:dataset_id>/progress/", views.progress, name="progress"),
    path("datasets/<int:dataset_id>/next/", views.next_work, name="next_work"),
    path("datasets/<int:dataset_id>/artworks/<int:artwork_id>/", views.page, name="page"),
]
