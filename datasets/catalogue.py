"""Metadata of artworks as CSV, out and in again: rows find their artwork, change its metadata, and create nothing."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from import_export import fields, resources
from import_export.formats.base_formats import CSV
from import_export.instance_loaders import BaseInstanceLoader

from datasets import services
from datasets.models import Artwork

KEYS = ("id", "identifier", "file_name")


class SheetCSV(CSV):
    """CSV as spreadsheets write it: with comma, semicolon or tabulator, with or without a byte order mark."""

    def create_dataset(self, in_stream: str | bytes, **options: Any) -> Any:
        text = in_stream.decode("utf-8-sig") if isinstance(in_stream, bytes) else in_stream.removeprefix("\ufeff")
        heading = text.split("\n", 1)[0]
        return super().create_dataset(text, delimiter=max(",;\t", key=heading.count), **options)


class RowFinder(BaseInstanceLoader):
    """Find the artwork of a row by `id`, else `identifier` (inventory number), else `file_name`."""

    def get_instance(self, row: dict[str, Any]) -> Artwork:
        """The one artwork that a row means.

        Raises:
            ValueError: there is none or more than one, or the row names none of the three.
        """
        key = next((key for key in KEYS if str(row.get(key) or "").strip()), None)
        if key is None:
            raise ValueError(_("The row needs an id, an identifier or a file_name to find its artwork by."))
        value = str(row[key]).strip()
        if key == "id" and not (value.isascii() and value.isdigit() and len(value) < 19):
            raise ValueError(_("“%(value)s” is no id: ids are whole numbers.") % {"value": value})
        found: list[Artwork] = list(self.resource.artworks(row).filter(**{key: value})[:2])
        if len(found) == 1:
            return found[0]
        words = {"key": key, "value": value}
        if found:
            raise ValueError(_("Several artworks have the %(key)s “%(value)s”. Add a column id or dataset.") % words)
        raise ValueError(_("None of the artworks that you curate has the %(key)s “%(value)s”.") % words)


class TextDiff(resources.Diff):
    """What a row changes, as `<del>` and `<ins>` without the style attributes that the security policy refuses."""

    def as_html(self) -> list[SafeString]:
        return [marked(str(old), str(new)) for old, new in zip(self.left, self.right, strict=True)]


def marked(old: str, new: str) -> SafeString:
    """The way from one text to another, word by word, as HTML."""
    before, after = old.split(" "), new.split(" ")
    parts = []
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(format_html("{}", " ".join(before[i:j])))
            continue
        parts += [format_html("<del>{}</del>", " ".join(before[i:j]))] if any(before[i:j]) else []
        parts += [format_html("<ins>{}</ins>", " ".join(after[k:m]))] if any(after[k:m]) else []
    return format_html_join(" ", "{}", ((part,) for part in parts))


class ArtworkResource(resources.ModelResource):
    """The columns of the CSV. What is missing in a file stays as it is; an empty cell empties the field."""

    dataset = fields.Field(attribute="dataset__name", column_name="dataset", readonly=True)

    class Meta:
        model = Artwork
        fields = ("id", "dataset", "file_name", *Artwork.METADATA, "state", "confirmed", "suggested")
        export_order = fields
        import_id_fields: tuple[str, ...] = ()
        instance_loader_class = RowFinder
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    def __init__(self, curated: QuerySet[Artwork] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.curated = curated if curated is not None else Artwork.objects.none()

    def artworks(self, row: dict[str, Any]) -> QuerySet[Artwork]:
        """Those that a row may mean: of the dataset that it names, if it names one."""
        name = str(row.get("dataset") or "").strip()
        artworks = self.curated.select_related("dataset")
        return artworks.filter(dataset__name=name) if name else artworks

    def get_queryset(self) -> QuerySet[Artwork]:
        return Artwork.objects.select_related("dataset")

    def get_import_fields(self) -> list[fields.Field]:
        return [self.fields[name] for name in Artwork.METADATA]

    def get_user_visible_fields(self) -> list[fields.Field]:
        """What the page of the import names: the columns that find an artwork, and those that change it."""
        return [self.fields[name] for name in ("id", "dataset", "file_name", *Artwork.METADATA)]

    def get_diff_headers(self) -> list[str]:
        return list(Artwork.METADATA)

    @classmethod
    def get_diff_class(cls) -> type[TextDiff]:
        return TextDiff

    def do_instance_save(self, instance: Artwork, is_create: bool) -> None:
        changes = {name: getattr(instance, name) for name in Artwork.METADATA}
        services.update_metadata(artwork=instance, changes=changes, revision=instance.metadata_revision)
