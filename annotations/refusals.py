"""The refusal of a box or an edit, as a sentence for people and a code for programs."""

from django.utils.translation import gettext as _

from datasets.refusals import Refusal


class EditRefused(Refusal):
    """400: an edit that cannot be applied. Nothing of its batch has been."""

    def at(self, number: int, total: int) -> "EditRefused":
        """The same refusal, naming which edit of a batch it is about."""
        if total == 1:
            return self
        words = {"number": number, "total": total, "message": self.detail}
        return EditRefused(_("Edit %(number)d of %(total)d: %(message)s") % words, code=str(self.get_codes()))
