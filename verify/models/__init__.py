from verify.models.batch import Batch
from verify.models.catalogue import Dress, DressPhoto
from verify.models.employee import Employee, Team
from verify.models.heartbeat import Heartbeat
from verify.models.look import Look
from verify.models.model_version import Embedding, ModelVersion
from verify.models.photo import Photo
from verify.models.post import Answer, Post
from verify.models.suggestion import Option, Suggestion
from verify.models.vote import Lease, Vote

__all__ = [
    "Answer",
    "Batch",
    "Dress",
    "DressPhoto",
    "Embedding",
    "Employee",
    "Heartbeat",
    "Lease",
    "Look",
    "ModelVersion",
    "Option",
    "Photo",
    "Post",
    "Suggestion",
    "Team",
    "Vote",
]
