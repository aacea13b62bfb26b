"""Where admins curate. One file per subject; who may is asked of `verify.access`."""

from django.contrib import admin
from django.contrib.auth.models import Group

from verify.admin.api_key import ApiKeyAdmin
from verify.admin.batch import BatchAdmin, VoteAdmin
from verify.admin.catalogue import DressAdmin
from verify.admin.lists import (
    FlagAdmin,
    GoldAnswerAdmin,
    HeartbeatAdmin,
    NominationAdmin,
    NoticeAdmin,
    RefitAdmin,
    ReliabilityAdmin,
)
from verify.admin.look import LookAdmin
from verify.admin.model_version import CalibrationAdmin, ModelVersionAdmin
from verify.admin.people import EmployeeAdmin, TeamAdmin
from verify.admin.post import PostAdmin
from verify.admin.privacy import OptOutAdmin, TombstoneAdmin
from verify.admin.rights import RightsChangeAdmin, RightsTemplateAdmin
from verify.admin.source import (
    HashtagAdmin,
    InstagramAccountAdmin,
    MentionAdmin,
    RefusedMediaAdmin,
    SourceAdmin,
)

__all__ = [
    "ApiKeyAdmin",
    "BatchAdmin",
    "CalibrationAdmin",
    "DressAdmin",
    "EmployeeAdmin",
    "FlagAdmin",
    "GoldAnswerAdmin",
    "HashtagAdmin",
    "HeartbeatAdmin",
    "InstagramAccountAdmin",
    "LookAdmin",
    "MentionAdmin",
    "ModelVersionAdmin",
    "NominationAdmin",
    "NoticeAdmin",
    "OptOutAdmin",
    "PostAdmin",
    "RefitAdmin",
    "RefusedMediaAdmin",
    "ReliabilityAdmin",
    "RightsChangeAdmin",
    "RightsTemplateAdmin",
    "SourceAdmin",
    "TeamAdmin",
    "TombstoneAdmin",
    "VoteAdmin",
]

admin.site.site_header = admin.site.site_title = "dressportal"
admin.site.index_title = "Curate"
admin.site.unregister(Group)
