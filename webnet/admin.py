"""The curators' admin: Django's own, with the project's name and colours."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class WebnetAdminSite(AdminSite):
    """Open to staff. What a curator may see in it is limited by each ModelAdmin to the datasets they curate."""

    site_header = _("WebNet Trainer")
    site_title = _("WebNet Trainer")
    index_title = _("Curators' desk")
    enable_nav_sidebar = True
