"""The catalogue as CSV: out, in again with a dry run, all rows or none."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets import services
from datasets.models import Artwork
from tests.datasets.curating import LIST, race


def dry_run(client: Any, text: str) -> str:
    upload = SimpleUploadedFile("catalogue.csv", text.encode("utf-8-sig"), "text/csv")
    answer = client.post(f"{LIST}import/", {"import_file": upload, "format": "0", "resource": "0"})
    assert answer.status_code == 200
    return answer.content.decode()


def confirm(client: Any, html: str) -> Any:
    names = ("import_file_name", "original_file_name", "format", "resource")
    form = {name: found[1] for name in names if (found := re.search(rf'name="{name}" value="([^"]*)"', html))}
    return client.post(f"{LIST}process_import/", form)


def test_csv_goes_out_and_comes_in_again_unchanged(desk: Any, artwork: Any, foreign: Any) -> None:
    Artwork.objects.filter(pk=artwork.pk).update(title="Мария; «a», b", description="two\nlines")
    answer = desk.get(f"{LIST}export/")
    text = answer.content.decode("utf-8-sig")
    assert answer["Content-Type"].startswith("text/csv")
    assert text.startswith("id,dataset,folder,file_name,title") and "Not for you" not in text
    assert "Skipped" in dry_run(desk, text)


@pytest.mark.parametrize("by", ["id", "identifier", "file_name"])
def test_csv_is_shown_first_and_imported_on_confirmation(by: str, desk: Any, artwork: Any) -> None:
    Artwork.objects.filter(pk=artwork.pk).update(identifier="INV 7", creator="Giotto")
    artwork.refresh_from_db()
    html = dry_run(desk, f"{by};title\n{getattr(artwork, by)};Maestà\n")
    assert "<ins>Maestà</ins>" in html
    artwork.refresh_from_db()
    assert artwork.title == "work 0"
    assert confirm(desk, html).status_code == 302
    artwork.refresh_from_db()
    assert (artwork.title, artwork.creator, artwork.metadata_revision) == ("Maestà", "Giotto", 1)
    assert Artwork.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,title\n999,x\n", "has the id"),
        ("id,title\nabc,x\n", "no id"),
        ("title\nx\n", "needs an id"),
        ("file_name,Titolo,nota\nwork-0.jpg,x,y\n", "There is no column “Titolo”, “nota”"),
        ("identifier,title\nunknown,x\n", "has the identifier"),
        ("file_name,source\nwork-0.jpg,javascript:x\n", "valid URL"),
        (f"file_name,title\nwork-0.jpg,{'x' * 600}\n", "at most 500"),
    ],
)
def test_csv_with_a_bad_row_changes_nothing(text: str, said: str, desk: Any, artwork: Any) -> None:
    html = dry_run(desk, text)
    assert said in html and "Confirm import" not in html
    artwork.refresh_from_db()
    assert artwork.metadata_revision == 0


def test_the_id_of_another_installation_is_noticed_by_the_name_of_the_file(desk: Any, artwork: Any) -> None:
    html = dry_run(desk, f"id,file_name,title\n{artwork.pk},madonna.jpg,Madonna\n")
    assert "is here that of the file “work-0.jpg”" in html and "Confirm import" not in html


def test_blanks_in_the_heading_and_columns_without_one_change_nothing(desk: Any, artwork: Any) -> None:
    assert confirm(desk, dry_run(desk, " file_name ; title ;\nwork-0.jpg;Maestà;\n")).status_code == 302
    artwork.refresh_from_db()
    assert artwork.title == "Maestà"


def test_other_encodings_are_refused_with_what_to_do(desk: Any, artwork: Any) -> None:
    upload = SimpleUploadedFile("a.csv", "file_name;title\nwork-0.jpg;Дева\n".encode("cp1251"), "text/csv")
    html = desk.post(f"{LIST}import/", {"import_file": upload, "format": "0", "resource": "0"}).content.decode()
    assert "save it as “CSV UTF-8”" in html and "Confirm import" not in html


@pytest.mark.parametrize(
    ("text", "said"),
    [("file_name,title,title \nwork-0.jpg,A,B\n", "several columns"), ("file_name,\nwork-0.jpg,A\n", "without a name")],
)
def test_columns_whose_values_would_be_lost_are_refused(text: str, said: str, desk: Any, artwork: Any) -> None:
    html = dry_run(desk, text)
    assert said in html and "Confirm import" not in html


def test_csv_does_not_reach_other_datasets(desk: Any, artwork: Any, foreign: Any) -> None:
    html = dry_run(desk, f"id,title\n{foreign.pk},Mine now\n")
    assert "has the id" in html and "Not for you" not in html


def test_csv_with_a_name_that_two_artworks_have_asks_for_more(desk: Any, dataset: Any, make_artwork: Any) -> None:
    for seed in (1, 2):
        make_artwork(dataset, seed, file_name="same.jpg")
    assert "Several artworks" in dry_run(desk, "file_name,title\nsame.jpg,x\n")


def test_a_csv_of_many_rows_is_read_in_few_queries_and_its_preview_holds_nobody_up(
    desk: Any, dataset: Any, make_artwork: Any
) -> None:
    ids = [make_artwork(dataset, seed).pk for seed in range(12)]

    def asked(rows: int) -> list[str]:
        text = "id,title\n" + "".join(f"{key:04},New {key}\n" for key in ids[:rows])
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert dry_run(desk, text).count("<ins>") >= rows
        return [query["sql"] for query in captured]

    few, many = asked(2), asked(12)
    assert len(few) == len(many)
    assert not any(sql.startswith(("UPDATE", "SAVEPOINT", "BEGIN")) for sql in many)


def test_the_second_of_two_rows_of_one_artwork_comes_after_the_first(desk: Any, artwork: Any) -> None:
    text = f"id,file_name,title,creator\n{artwork.pk},,First,Giotto\n,{artwork.file_name},Second,Giotto\n"
    assert confirm(desk, dry_run(desk, text)).status_code == 302
    artwork.refresh_from_db()
    assert (artwork.title, artwork.creator, artwork.metadata_revision) == ("Second", "Giotto", 2)


def test_what_somebody_saves_while_a_csv_is_imported_stays_and_so_does_the_csv(
    desk: Any, artwork: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    html = dry_run(desk, f"id,title\n{artwork.pk},Mine\n")
    race(monkeypatch, artwork, creator="Duccio", metadata_revision=1)
    assert confirm(desk, html).status_code == 302
    artwork.refresh_from_db()
    assert (artwork.title, artwork.creator, artwork.metadata_revision) == ("Mine", "Duccio", 2)


def test_an_import_that_fails_says_so_and_leaves_everything_as_it_was(
    desk: Any, dataset: Any, make_artwork: Any
) -> None:
    first, second = make_artwork(dataset, 1), make_artwork(dataset, 2)
    html = dry_run(desk, f"id,title\n{first.pk},New\n{second.pk},New\n")
    services.delete(second)
    answer = desk.get(confirm(desk, html).url)
    assert "Nothing was imported" in answer.content.decode()
    first.refresh_from_db()
    assert first.metadata_revision == 0
    assert not LogEntry.objects.exists()


def test_a_column_dataset_tells_two_artworks_of_one_name_apart(
    desk: Any, dataset: Any, django_user_model: Any, make_artwork: Any
) -> None:
    other = services.create_dataset(user=django_user_model.objects.get(username="cleo"), name="Other")
    here, there = make_artwork(dataset, 1, file_name="same.jpg"), make_artwork(other, 1, file_name="same.jpg")
    text = f"file_name,dataset,title\nsame.jpg,Other,There\nsame.jpg,{dataset.name},Here\n"
    assert confirm(desk, dry_run(desk, text)).status_code == 302
    here.refresh_from_db()
    there.refresh_from_db()
    assert (here.title, there.title) == ("Here", "There")


def test_the_folder_that_files_came_in_tells_those_of_one_name_apart(
    desk: Any, dataset: Any, owner: Any, picture: Any
) -> None:
    for number in (1, 2):
        upload = SimpleUploadedFile("recto.jpg", picture(seed=number))
        path = f"Sala 1/INV-000{number}/recto.jpg"
        services.add_artwork(dataset=dataset, user=owner, upload=upload, relative_path=path)
    exported = desk.get(f"{LIST}export/").content.decode("utf-8-sig")
    assert "Sala 1/INV-0001,recto.jpg" in exported
    text = "folder,file_name,title\nSala 1/INV-0002/,recto.jpg,Second\nSala 1\\INV-0001,recto.jpg,First\n"
    assert confirm(desk, dry_run(desk, text)).status_code == 302
    titles = Artwork.objects.order_by("folder").values_list("folder", "title")
    assert list(titles) == [("Sala 1/INV-0001", "First"), ("Sala 1/INV-0002", "Second")]
    assert [artwork.title for artwork in Artwork.objects.search("inv-0002")] == ["Second"]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00broken", b'id,title\n"open'])
def test_what_is_no_csv_is_said(data: bytes, desk: Any) -> None:
    upload = SimpleUploadedFile("catalogue.csv", data, "text/csv")
    assert desk.post(f"{LIST}import/", {"import_file": upload, "format": "0", "resource": "0"}).status_code == 200
