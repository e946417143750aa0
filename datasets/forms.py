"""Forms of the curators' admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasets.models import Artwork, Membership, Role


class MetadataForm(forms.ModelForm):
    """Metadata of one artwork, in the list or on its page.

    Every field carries what was on the screen when it was opened, so that saving changes what was typed and nothing
    else, and a field that somebody else has changed meanwhile is refused instead of overwritten.
    """

    class Meta:
        model = Artwork
        fields = Artwork.METADATA

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in self.changed_data:
            now = getattr(self.instance, name, None)
            if name in Artwork.METADATA and self.instance.pk and lines(self._shown(name)) != lines(now):
                message = _("Somebody else has changed this to “%(now)s” meanwhile. Reload, then change it again.")
                self.add_error(name, message % {"now": now})
        return cleaned

    def _shown(self, name: str) -> Any:
        """What the field held when the page was opened."""
        field = self.fields[name]
        return field.hidden_widget().value_from_datadict(self.data, self.files, self.add_initial_prefix(name))


def lines(text: Any) -> str:
    """A text with the line ends that browsers change, made equal."""
    return str(text or "").replace("\r\n", "\n")


class Told(forms.Widget):
    """A value that is told, not asked for."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html("{}", value)


class MembershipForm(forms.ModelForm):
    """A member: somebody new is named as on the page of members, who is one already is told.

    Django's select would load and list every user in every row. (Its autocompletion is for who may see all users.)
    """

    user = forms.ModelChoiceField(
        get_user_model()._default_manager.filter(is_active=True),
        label=gettext_lazy("User name"),
        to_field_name="username",
        widget=forms.TextInput(attrs={"aria-label": gettext_lazy("User name"), "autocapitalize": "none"}),
        error_messages={
            "invalid_choice": gettext_lazy("There is nobody of this name. Ask for an account for them first.")
        },
    )

    class Meta:
        model = Membership
        fields = ("user", "role")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.fields["user"] = forms.Field(disabled=True, label=self.fields["user"].label, widget=Told)
            self.initial["user"] = self.instance.user


class MembershipFormSet(forms.BaseInlineFormSet):
    """The members of a dataset, one of whom stays its administrator."""

    def clean(self) -> None:
        super().clean()
        kept = [form.cleaned_data for form in self.forms if getattr(form, "cleaned_data", None)]
        roles = [one.get("role") for one in kept if not one.get("DELETE")]
        if self.instance.pk and Role.ADMINISTRATOR not in roles:
            raise forms.ValidationError(_("A dataset needs an administrator. Leave one, or make somebody else one."))

    class Meta:
        model = Membership


class CommonValueForm(forms.Form):
    """One value for a field of many artworks."""

    value = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs={"size": 60}))
