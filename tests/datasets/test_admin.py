"""The curators' admin: their own datasets, edits that overwrite nobody's, what is deleted and restored."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasets import services
from datasets.models import Artwork, Membership, Role
from tests.annotations.factories import artwork_row
from tests.datasets.curating import LIST, page, race


def fields_of(html: str) -> dict[str, str]:
    """The form fields of a page, as a browser would send them."""
    found = dict.fromkeys(re.findall(r'name="([^"]+)"', html), "")
    for tag in re.findall(r"<input[^>]*>", html):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and 'type="checkbox"' not in tag:
            found[name[1]] = value[1]
    return {k: v for k, v in found.items() if k.startswith(("form-", "initial-")) or k in Artwork.METADATA}


# --- whose rows -------------------------------------------------------------------------------------------------------
def test_a_curator_sees_their_own_datasets_only(desk: Any, artwork: Any, foreign: Any) -> None:
    assert "Not for you" not in page(desk, LIST)
    assert "Otto" not in page(desk, "/admin/datasets/dataset/")
    assert desk.get(f"{LIST}{foreign.pk}/change/").status_code == 302
    assert desk.get(f"{LIST}{artwork.pk}/change/").status_code == 200
    assert desk.get(f"/admin/datasets/dataset/{foreign.dataset_id}/change/").status_code == 302


def test_staff_without_a_role_see_nothing(viewer: Any, client_of: Any, artwork: Any) -> None:
    type(viewer).objects.filter(pk=viewer.pk).update(is_staff=True)
    viewer.refresh_from_db()
    assert client_of(viewer).get(LIST).status_code == 403
    assert client_of(viewer).get(f"{LIST}export/").status_code == 403
    assert client_of(viewer).get(f"{LIST}import/").status_code == 403


def test_a_curator_cannot_touch_users_or_members(desk: Any, dataset: Any, owner: Any) -> None:
    assert desk.get("/admin/auth/user/").status_code == 403
    html = page(desk, f"/admin/datasets/dataset/{dataset.pk}/change/")
    assert "olga" in html and 'name="memberships-0-role"' not in html
    assert desk.post(f"/admin/datasets/dataset/{dataset.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_administrator_changes_members_but_not_the_last_one(
    dataset: Any, owner: Any, viewer: Any, client_of: Any
) -> None:
    owner.refresh_from_db()
    client, url = client_of(owner), f"/admin/datasets/dataset/{dataset.pk}/change/"
    rows = list(Membership.objects.filter(dataset=dataset).order_by("user__username"))
    form = members_form(*rows) | {"memberships-0-role": "curator", "memberships-1-role": "curator"}
    assert "needs an administrator" in client.post(url, form).content.decode()
    assert client.post(url, form | {"memberships-0-role": "administrator"}).status_code == 302
    viewer.refresh_from_db()
    assert Membership.objects.get(user=viewer).role == Role.CURATOR and viewer.is_staff


def members_form(*rows: Membership, **added: str) -> dict[str, Any]:
    """What a browser sends from the page of a dataset: its members as they are, and perhaps one more."""
    form: dict[str, Any] = {"name": "Icons", "description": ""}
    form |= {"memberships-TOTAL_FORMS": len(rows) + bool(added), "memberships-INITIAL_FORMS": len(rows)}
    for i, row in enumerate(rows):
        form |= {f"memberships-{i}-id": row.pk, f"memberships-{i}-role": row.role}
    return form | {f"memberships-{len(rows)}-{name}": value for name, value in added.items()}


def test_members_are_told_by_name_and_a_new_one_is_named(
    dataset: Any, owner: Any, outsider: Any, client_of: Any
) -> None:
    owner.refresh_from_db()
    client, url = client_of(owner), f"/admin/datasets/dataset/{dataset.pk}/change/"
    html = page(client, url)
    assert re.search(r'<td class="field-user">\s*olga\s*</td>', html) and "otto" not in html
    olga = Membership.objects.get(dataset=dataset)
    for name, said in {"nobody": "There is nobody of this name", "olga": "duplicate"}.items():
        assert said in client.post(url, members_form(olga, user=name, role="viewer")).content.decode()
    assert client.post(url, members_form(olga, user="otto", role="viewer")).status_code == 302
    assert set(Membership.objects.filter(dataset=dataset).values_list("user__username", "role")) == {
        ("olga", "administrator"),
        ("otto", "viewer"),
    }


def test_the_lists_cost_the_same_queries_for_many_rows(desk: Any, dataset: Any, make_artwork: Any) -> None:
    def queries() -> list[int]:
        counts = []
        for url in (LIST, "/admin/datasets/dataset/"):
            with CaptureQueriesContext(
                connection,
            ) as captured:
                page(desk, url)
            counts.append(len(captured))
        return counts

    make_artwork(dataset, 1)
    queries()
    before = queries()
    for seed in range(2, 8):
        make_artwork(dataset, seed)
    assert queries() == before


# --- editing ----------------------------------------------------------------------------------------------------------
def test_the_list_saves_what_was_typed_and_nothing_else(desk: Any, artwork: Any) -> None:
    form = fields_of(page(desk, LIST))
    services.update_metadata(artwork=artwork, changes={"creator": "Duccio"}, revision=0)
    answer = desk.post(LIST, form | {"form-0-title": "Maestà", "_save": "Save"})
    assert answer.status_code == 302
    artwork.refresh_from_db()
    assert (artwork.title, artwork.creator, artwork.metadata_revision) == ("Maestà", "Duccio", 2)


@pytest.mark.parametrize("where", ["list", "page"])
def test_a_field_that_somebody_changed_meanwhile_is_not_overwritten(where: str, desk: Any, artwork: Any) -> None:
    url, field = (LIST, "form-0-title") if where == "list" else (f"{LIST}{artwork.pk}/change/", "title")
    form = fields_of(page(desk, url))
    services.update_metadata(artwork=artwork, changes={"title": "Theirs"}, revision=0)
    answer = desk.post(url, form | {field: "Mine", "_save": "Save"})
    assert answer.status_code == 200 and "Somebody else has changed this to “Theirs”" in answer.content.decode()
    artwork.refresh_from_db()
    assert artwork.title == "Theirs"


def two_edits(client: Any, first: Artwork, second: Artwork) -> dict[str, str]:
    """What a browser sends after both titles of the list have been typed anew."""
    form = fields_of(page(client, LIST))
    titles = {str(first.pk): "Mine", str(second.pk): "Mine too"}
    rows = range(int(form["form-TOTAL_FORMS"]))
    return form | {f"form-{row}-title": titles[form[f"form-{row}-id"]] for row in rows} | {"_save": "Save"}


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ({"title": "Theirs", "metadata_revision": 1}, "Somebody else has just changed “Theirs”"),
        ({"deleted_at": timezone.now()}, "“work 1” has been deleted meanwhile"),
    ],
)
def test_a_row_that_somebody_was_quicker_with_costs_no_other_row_its_changes(
    theirs: dict[str, Any], said: str, desk: Any, dataset: Any, make_artwork: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, kept = (make_artwork(dataset, seed) for seed in (1, 2))
    form = two_edits(desk, lost, kept)
    race(monkeypatch, lost, **theirs)
    answer = desk.post(LIST, form, follow=True)
    html = answer.content.decode()
    assert answer.status_code == 200 and f"{said}, so this was not saved: title “Mine”." in html
    assert "changed successfully" not in html
    lost.refresh_from_db()
    kept.refresh_from_db()
    assert (lost.title, kept.title) == (theirs.get("title", "work 1"), "Mine too")
    assert list(LogEntry.objects.values_list("object_id", flat=True)) == [str(kept.pk)]


def test_an_artwork_deleted_while_the_list_was_open_costs_no_other_row_its_changes(
    desk: Any, dataset: Any, make_artwork: Any
) -> None:
    gone, kept = (make_artwork(dataset, seed) for seed in (1, 2))
    form = two_edits(desk, gone, kept)
    services.delete(gone)
    assert "has been deleted meanwhile" in desk.post(LIST, form, follow=True).content.decode()
    gone.refresh_from_db()
    kept.refresh_from_db()
    assert (gone.title, kept.title) == ("work 1", "Mine too")


def test_an_artworks_page_says_when_somebody_was_quicker(
    desk: Any, artwork: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{LIST}{artwork.pk}/change/"
    form = fields_of(page(desk, url))
    race(monkeypatch, artwork, creator="Duccio", metadata_revision=1)
    html = desk.post(url, form | {"title": "Mine", "_save": "Save"}, follow=True).content.decode()
    assert "Somebody else has just changed “work 0”" in html and "changed successfully" not in html
    assert not LogEntry.objects.exists()


def test_deleted_artworks_are_looked_at_and_restored_but_not_changed(desk: Any, artwork: Any) -> None:
    edits = fields_of(page(desk, LIST)) | {"form-0-title": "Mine", "_save": "Save"}
    services.delete(artwork)
    html = page(desk, f"{LIST}?deleted=yes")
    assert "form-0-title" not in html and 'value="restore"' in html
    assert 'value="set_rights"' not in html and 'value="delete_selected"' not in html
    assert 'name="title"' not in page(desk, f"{LIST}{artwork.pk}/change/")
    assert desk.post(f"{LIST}?deleted=yes", edits).status_code == 200
    assert desk.post(f"{LIST}{artwork.pk}/change/", {"title": "Mine"}).status_code == 403
    assert desk.post(f"{LIST}{artwork.pk}/delete/", {"post": "yes"}).status_code == 403
    artwork.refresh_from_db()
    assert artwork.title == "work 0"


def test_many_artworks_get_one_value_after_a_page_that_asks(
    desk: Any, dataset: Any, make_artwork: Any, foreign: Any
) -> None:
    chosen = [make_artwork(dataset, seed).pk for seed in (1, 2)]
    form = {"action": "set_publisher", "_selected_action": [*chosen, foreign.pk]}
    html = desk.post(LIST, form).content.decode()
    assert "work 1" in html and "Not for you" not in html
    assert not Artwork.objects.exclude(publisher="").exists()
    desk.post(LIST, form | {"apply": "Save", "value": "Pinacoteca"})
    assert set(Artwork.objects.filter(publisher="Pinacoteca").values_list("pk", flat=True)) == set(chosen)
    assert set(Artwork.objects.filter(pk__in=chosen).values_list("metadata_revision", flat=True)) == {1}


def test_deleting_hides_and_can_be_undone(desk: Any, artwork: Any) -> None:
    chosen = {"_selected_action": [artwork.pk]}
    desk.post(LIST, chosen | {"action": "delete_selected", "post": "yes"})
    artwork.refresh_from_db()
    assert artwork.deleted_at is not None
    assert str(artwork) not in page(desk, LIST) and str(artwork) in page(desk, f"{LIST}?deleted=yes")
    desk.post(f"{LIST}?deleted=yes", chosen | {"action": "restore"})
    artwork.refresh_from_db()
    assert artwork.deleted_at is None


def test_more_artworks_are_deleted_than_a_form_has_fields_by_default(desk: Any, dataset: Any) -> None:
    rows = [artwork_row(dataset, number) for number in range(1, 21)]
    keys = [row.pk for row in rows]
    desk.post(LIST, {"action": "delete_selected", "_selected_action": keys})  # fills what is asked for once
    with CaptureQueriesContext(connection) as few:
        desk.post(LIST, {"action": "delete_selected", "_selected_action": keys[:2]})
    with CaptureQueriesContext(connection) as many:
        answer = desk.post(LIST, {"action": "delete_selected", "_selected_action": keys})
    assert len(few) == len(many)
    assert "Are you sure" in answer.content.decode()
    more = [*keys, *range(10**9, 10**9 + 1200)]
    answer = desk.post(LIST, {"action": "delete_selected", "_selected_action": more, "post": "yes"})
    assert answer.status_code == 302
    assert not Artwork.objects.present().filter(pk__in=keys).exists()


def test_a_deleted_dataset_is_restored_by_its_administrator_and_nobody_else(
    dataset: Any, owner: Any, curator: Any, client_of: Any
) -> None:
    services.delete(dataset)
    url = "/admin/datasets/dataset/?deleted=yes"
    form = {"action": "restore", "_selected_action": [dataset.pk]}
    for user in (owner, curator):
        user.is_staff = True
        user.save()
    assert client_of(curator).get(url).status_code == 403
    services.create_dataset(user=curator, name="Another")
    assert f">{dataset.name}<" not in page(client_of(curator), url)
    client_of(curator).post(url, form)
    dataset.refresh_from_db()
    assert dataset.deleted_at is not None
    assert f">{dataset.name}<" in page(client_of(owner), url)
    client_of(owner).post(url, form)
    dataset.refresh_from_db()
    assert dataset.deleted_at is None


def test_pages_of_the_admin_need_no_inline_script_or_style(desk: Any, artwork: Any) -> None:
    pages = [LIST, f"{LIST}{artwork.pk}/change/", f"{LIST}import/", "/admin/", "/admin/datasets/dataset/"]
    for url in pages:
        html = page(desk, url)
        assert not re.search(r"<script(?![^>]*(src=|application/json))|\sstyle=|\son\w+=", html), url
