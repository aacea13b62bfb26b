from verify.models.api_key import ApiKey
from verify.models.batch import Batch
from verify.models.calibration import Calibration
from verify.models.catalogue import Dress, DressPhoto
from verify.models.employee import Badge, Employee, Leave, Team
from verify.models.gate_verdict import GateVerdict
from verify.models.golden_photo import GoldenPhoto
from verify.models.heartbeat import Heartbeat
from verify.models.instagram import Hashtag, InstagramAccount, Mention
from verify.models.look import Look
from verify.models.model_version import Embedding, ModelVersion
from verify.models.notice import Notice
from verify.models.photo import Photo
from verify.models.post import Post
from verify.models.post_queryset import Answer
from verify.models.privacy import FileToErase, OptOut, Tombstone, WrittenExport
from verify.models.reliability import Refit, Reliability
from verify.models.remark import Flag, GoldAnswer, Nomination
from verify.models.review import Review
from verify.models.rights import RightsAnswer, RightsChange, RightsRequest, RightsTemplate
from verify.models.source import RefusedMedia, Source
from verify.models.suggestion import Option, Suggestion
from verify.models.vote import Lease, Vote

__all__ = [
    "Answer",
    "ApiKey",
    "Badge",
    "Batch",
    "Calibration",
    "Dress",
    "DressPhoto",
    "Embedding",
    "Employee",
    "FileToErase",
    "Flag",
    "GateVerdict",
    "GoldAnswer",
    "GoldenPhoto",
    "Hashtag",
    "Heartbeat",
    "InstagramAccount",
    "Lease",
    "Leave",
    "Look",
    "Mention",
    "ModelVersion",
    "Nomination",
    "Notice",
    "OptOut",
    "Option",
    "Photo",
    "Post",
    "Refit",
    "RefusedMedia",
    "Reliability",
    "Review",
    "RightsAnswer",
    "RightsChange",
    "RightsRequest",
    "RightsTemplate",
    "Source",
    "Suggestion",
    "Team",
    "Tombstone",
    "Vote",
    "WrittenExport",
]
