"""Owners whom the demo's shop has asked for their photo, and what some of them answered."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from verify import rights_requests
from verify.models import Post, RightsChange, RightsRequest, RightsTemplate
from verify.rights_requests import Comment

HASHTAG = "#YesDressportal"
TEXT = (
    "Hi {handle}, you look wonderful! May we show your photo on our product pages? Answer with {hashtag} to"
    " say yes; you can take it back at any time."
)
ANSWERED = 3  # of those asked, whose answer waits for an admin
AGREED = "sure, with pleasure! {hashtag} 💛"


def ask(posts: Sequence[Post], now: datetime) -> None:
    """As the plan has it: granted and refused some time ago, requested yesterday."""
    template = RightsTemplate.objects.create(name="Kindly", text=TEXT, hashtag=HASHTAG)
    RightsChange.objects.note_new(posts, f"Asked with the template {template}.")
    asked = [post for post in posts if post.rights == Post.Rights.REQUESTED]
    RightsRequest.objects.bulk_create(
        RightsRequest(
            post=post, text=template.text_for(post), hashtag=HASHTAG, asked_at=now - timedelta(days=1)
        )
        for post in asked
    )
    rights_requests.take_comments(
        Comment(f"demo {post.pk}", post.external_id, "", post.username, AGREED.format(hashtag=HASHTAG), now)
        for post in asked[:ANSWERED]
    )
