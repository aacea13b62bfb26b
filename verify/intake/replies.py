"""Replies to mentions by Instagram's Graph API: what asks for rights where the API lets us."""

from django.utils import timezone

from verify.intake.instagram import token
from verify.intake.instagram.errors import GraphError
from verify.models import Mention
from verify.rights_requests import MentionReplies, NotAsked


class GraphReplies:
    """In the name of the portal's account; an error means the same for it as when posts are read."""

    def reply_to_mention(self, media_id: str, message: str) -> str:
        mention = Mention.objects.filter(media_id=media_id).order_by("comment_id").first()  # captions first
        now = timezone.now()
        try:
            with token.graph(now) as graph:
                made = graph.reply_to_mention(media_id, message, mention.comment_id if mention else "")
        except token.NoToken as reason:
            raise NotAsked(str(reason)) from reason
        except GraphError as error:
            token.refuse(error, now)
            raise NotAsked(f"Instagram refused the reply: {error}.") from error
        if not made:
            raise NotAsked("Instagram did not say that the reply was made.")
        return made


def configured() -> MentionReplies | None:
    """The portal's account; None where it has none. The one place that chooses it."""
    return GraphReplies() if token.is_set_up() else None
