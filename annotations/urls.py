"""Pages of the app annotations."""

from django.urls import path

from annotations import views

app_name = "annotations"
urlpatterns = [
    path("datasets/<int:dataset_id>/labels/", views.labels, name="labels"),
]
