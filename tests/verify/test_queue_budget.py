"""What one "vote and next card" asks of the database."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import make
from verify import queue
from verify.models import Answer

REQUEST = 2  # the session and the user, which every request reads
BOUNDARIES = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


@pytest.mark.django_db(transaction=True)
def test_a_vote_and_the_next_card_take_ten_statements_and_two_commits() -> None:
    make.make_open_posts(12, make.make_batch())
    anna = make.make_employee()
    for _ in range(3):
        lease = queue.hand_out(anna)[0]
        with CaptureQueriesContext(connection) as captured:
            queue.vote(anna, lease.pk, Answer.DRESS, lease.options[0].dress_id)
            cards = queue.hand_out(anna)
            assert [card.post.photo.large_url for card in cards]
            assert [option.dress.cover_token for card in cards for option in card.options]
            queue.progress(anna)
        verbs = [query["sql"].split()[0].upper() for query in captured.captured_queries]
        assert len([verb for verb in verbs if verb not in BOUNDARIES]) + REQUEST <= 10
        assert verbs.count("COMMIT") == 2


@pytest.mark.django_db
def test_the_post_is_locked_before_the_card() -> None:
    """Everybody locks in this order, or two could wait for each other."""
    make.make_open_posts(1, make.make_batch())
    anna = make.make_employee()
    [lease] = queue.hand_out(anna)
    with CaptureQueriesContext(connection) as captured:
        queue.vote(anna, lease.pk, Answer.NOT_A_DRESS)
    locking = [query["sql"] for query in captured.captured_queries if " FOR " in query["sql"]]
    assert [sql.partition(" FOR ")[2].strip() for sql in locking] == ["NO KEY UPDATE OF post, lease"]
