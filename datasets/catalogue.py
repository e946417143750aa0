"""Metadata of artworks as CSV, out and in again: rows find their artwork, change its metadata, and create nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from difflib import SequenceMatcher
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from import_export import fields, resources
from import_export.formats.base_formats import CSV
from import_export.instance_loaders import BaseInstanceLoader

from datasets import services
from datasets.models import Artwork
from datasets.names import base_name, folder_of

# Values of one query: databases take no more than some thousands.
_AT_ONCE = 500
KEYS = ("id", "identifier", "file_name")


class SheetCSV(CSV):
    """CSV as spreadsheets write it: with comma, semicolon or tabulator, with or without a byte order mark."""

    def create_dataset(self, in_stream: str | bytes, **options: Any) -> Any:
        text = in_stream.decode("utf-8-sig") if isinstance(in_stream, bytes) else in_stream.removeprefix("\ufeff")
        heading = text.split("\n", 1)[0]
        return super().create_dataset(text, delimiter=max(",;\t", key=heading.count), **options)


class RowFinder(BaseInstanceLoader):
    """Find the artwork of a row by `id`, else `identifier` (inventory number), else `file_name`.

    All that the rows of a file name are read at once: ten thousand searches would keep everybody else from saving.
    """

    def __init__(self, resource: ArtworkResource, dataset: Any = None) -> None:
        super().__init__(resource, dataset)
        self._known: dict[str, dict[str, list[Artwork]]] = {}
        # One of each, by whatever column a row finds it: a second row of an artwork goes on from the first.
        self._one: dict[int, Artwork] = {}

    def get_instance(self, row: dict[str, Any]) -> Artwork:
        """The one artwork that a row means.

        Raises:
            ValueError: there is none or more than one, or the row names none of the three.
        """
        key = next((key for key in KEYS if str(row.get(key) or "").strip()), None)
        if key is None:
            raise ValueError(_("The row needs an id, an identifier or a file_name to find its artwork by."))
        value = str(row[key]).strip()
        if key == "id" and not _is_id(value):
            raise ValueError(_("“%(value)s” is no id: ids are whole numbers.") % {"value": value})
        name = str(row.get("dataset") or "").strip()
        folder = folder_of(f"{row.get('folder') or ''}/")
        known = self._by(key).get(_plain(key, value), [])
        found = [artwork for artwork in known if name in ("", artwork.dataset.name) and _may_be_in(artwork, folder)]
        words = {"key": key, "value": value}
        if len(found) == 1:
            if key == "id":
                _refuse_other_file(found[0], str(row.get("file_name") or "").strip())
            return found[0]
        if found:
            raise ValueError(
                _("Several artworks have the %(key)s “%(value)s”. Add a column id, folder or dataset.") % words
            )
        raise ValueError(_("None of the artworks that you curate has the %(key)s “%(value)s”.") % words)

    def _by(self, key: str) -> dict[str, list[Artwork]]:
        """The artworks that any row of the file may mean, by their `key`."""
        if key not in self._known:
            given = {str(row.get(key) or "").strip() for row in self.dataset.dict} - {""}
            values = sorted({_plain(key, value) for value in given if key != "id" or _is_id(value)})
            known = defaultdict(list)
            for start in range(0, len(values), _AT_ONCE):
                portion = {f"{key}__in": values[start : start + _AT_ONCE]}
                for artwork in self.resource.curated.select_related("dataset").filter(**portion):
                    known[str(getattr(artwork, key))].append(self._one.setdefault(artwork.pk, artwork))
            self._known[key] = dict(known)
        return self._known[key]


def _may_be_in(artwork: Artwork, folder: str) -> bool:
    """Whether a row that names `folder` ("": none) may mean `artwork`, of which it is not always known."""
    return not folder or artwork.folder in ("", folder)


def _refuse_other_file(artwork: Artwork, named: str) -> None:
    """Raise ValueError where a row has the id of `artwork` and names another file: it comes from elsewhere."""
    if named and base_name(named) != artwork.file_name:
        text = _(
            "The id “%(id)s” is here that of the file “%(here)s”, and not of “%(named)s”. If the rows come from another"
            " installation, remove the column id."
        )
        raise ValueError(text % {"id": artwork.pk, "here": artwork.file_name, "named": named})


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 19


def _plain(key: str, value: str) -> str:
    """A value as the artwork has it: spreadsheets fill numbers with zeros."""
    return str(int(value)) if key == "id" else value


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
        fields = ("id", "dataset", "folder", "file_name", *Artwork.METADATA, "state", "confirmed", "suggested")
        export_order = fields
        import_id_fields: tuple[str, ...] = ()
        instance_loader_class = RowFinder
        skip_unchanged = True
        report_skipped = True

    def __init__(self, curated: QuerySet[Artwork] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.changes: dict[str, str] = {}
        self.curated = curated if curated is not None else Artwork.objects.none()

    def get_queryset(self) -> QuerySet[Artwork]:
        return Artwork.objects.select_related("dataset")

    def before_import(self, dataset: Any, **options: Any) -> None:
        """Raises ValueError for a column whose values would be lost without a word."""
        dataset.headers = [str(name or "").strip() for name in dataset.headers or []]
        nameless = [place for place, name in enumerate(dataset.headers) if not name]
        if any(str(row[place] or "").strip() for row in dataset for place in nameless):
            raise ValueError(_("There are values in a column without a name. Name it, or leave it out."))
        twice = sorted(name for name, times in Counter(dataset.headers).items() if name and times > 1)
        if twice:
            text = _("There are several columns “%(name)s”. Leave all but one of them out.")
            raise ValueError(text % {"name": twice[0]})
        known = [self.fields[name].column_name for name in self._meta.fields]
        unknown = sorted(set(dataset.headers) - {*known, ""})
        if unknown:
            text = _("There is no column “%(unknown)s”. Rename it, or leave it out. The columns are: %(known)s.")
            raise ValueError(text % {"unknown": "”, “".join(unknown), "known": ", ".join(known)})

    def import_data(self, dataset: Any, dry_run: bool = False, **options: Any) -> Any:
        """All rows or none. A preview writes nothing: it needs no transaction, which would keep others waiting."""
        if not dry_run:
            return super().import_data(dataset, **{**options, "use_transactions": True})
        how = {name: options.pop(name, False) for name in ("raise_errors", "collect_failed_rows")}
        return self.import_data_inner(dataset, dry_run=True, using_transactions=False, **how, **options)

    def validate_instance(
        self, instance: Artwork, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        """Check what a row changes; the rest of the artwork is as it was, and the database need not be asked about it.

        Raises ValidationError.
        """
        errors = dict(import_validation_errors or {})
        others = {field.name for field in Artwork._meta.fields}.difference(Artwork.METADATA)
        try:
            instance.clean_fields(exclude=others | errors.keys())
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def get_import_fields(self) -> list[fields.Field]:
        return [self.fields[name] for name in Artwork.METADATA]

    def get_user_visible_fields(self) -> list[fields.Field]:
        """What the page of the import names: the columns that find an artwork, and those that change it."""
        return [self.fields[name] for name in ("id", "dataset", "folder", "file_name", *Artwork.METADATA)]

    def get_diff_headers(self) -> list[str]:
        return list(Artwork.METADATA)

    @classmethod
    def get_diff_class(cls) -> type[TextDiff]:
        return TextDiff

    def import_instance(self, instance: Artwork, row: Any, **options: Any) -> None:
        """Take a row's values over, and remember which of them are new."""
        before = {name: getattr(instance, name) for name in Artwork.METADATA}
        super().import_instance(instance, row, **options)
        self.changes = {name: value for name in before if (value := getattr(instance, name)) != before[name]}

    def do_instance_save(self, instance: Artwork, is_create: bool) -> None:
        try:
            services.update_metadata(artwork=instance, changes=self.changes, revision=instance.metadata_revision)
        except services.Stale:
            # Somebody has saved it since the file was read. What the row does not name stays as theirs.
            services.update_metadata(artwork=instance, changes=self.changes, revision=instance.metadata_revision)
