"""The twelve numbers of a COCO evaluation, in pycocotools' order, and what each says in plain words.

A box is small, medium or large by its pixels in the artwork's image, as COCO has it.
"""

from collections.abc import Mapping

from training.pipeline.translation import gettext_noop

WORDS: Mapping[str, str] = {
    "AP": gettext_noop(
        "The share of its boxes that are right, averaged over how many it is to find and over ten overlaps, a half to"
        " nearly all"
    ),
    "AP50": gettext_noop("The same where boxes need to overlap by a half only"),
    "AP75": gettext_noop("The same where boxes need to overlap by three quarters"),
    "AP_small": gettext_noop("AP of small things: less than 32 × 32 pixels of the image"),
    "AP_medium": gettext_noop("AP of things between 32 × 32 and 96 × 96 pixels"),
    "AP_large": gettext_noop("AP of things of more than 96 × 96 pixels"),
    "AR1": gettext_noop(
        "Share of the boxes that it finds with one try per concept and artwork, averaged over the overlaps"
    ),
    "AR10": gettext_noop("The same with ten tries"),
    "AR100": gettext_noop("The same with a hundred tries"),
    "AR_small": gettext_noop("AR100 of small things"),
    "AR_medium": gettext_noop("AR100 of medium things"),
    "AR_large": gettext_noop("AR100 of large things"),
}
NAMES = tuple(WORDS)
