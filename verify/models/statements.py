"""The statements behind every tap, written by hand.

Composing them with the ORM takes several times as long as running them, and that decides how many people can
play at once. Tables and columns are those of the models beside this file.
"""

from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models

Row = TypeVar("Row", bound=models.Model)

TAKES_VOTES = "post.state = 'proposed' AND post.settles_at IS NULL"

# A post takes one more person in as long as this holds. Whoever relies on it has locked the post before.
HAS_ROOM = f"""
    batch.state = 'open' AND {TAKES_VOTES}
    AND post.votes_needed > (
        SELECT count(*) FROM verify_lease held
        WHERE held.post_id = post.id AND held.outcome = 'open' AND held.expires_at > %(now)s
    )
"""  # noqa: S608 (of constants)

# An option has left the shop since it was proposed, and nobody has voted: the worker proposes anew.
OUTDATED = """
    EXISTS (
        SELECT FROM verify_option gone JOIN verify_dress dress ON dress.id = gone.dress_id
        WHERE gone.suggestion_id = post.suggestion_id AND dress.retired_on <= %(today)s
    )
    AND NOT EXISTS (SELECT FROM verify_vote cast_one WHERE cast_one.post_id = post.id)
"""

IN_PLAY = f"""
    {HAS_ROOM}
    AND NOT ({OUTDATED})
    AND NOT EXISTS (
        SELECT FROM verify_lease mine WHERE mine.post_id = post.id AND mine.employee_id = %(employee)s
    )
    AND NOT EXISTS (
        SELECT FROM verify_vote mine WHERE mine.post_id = post.id AND mine.employee_id = %(employee)s
    )
"""  # noqa: S608


def _stretch(lap: int, side: str) -> str:
    """The next posts on one side of the start, found along the index, whatever the size of the batch.

    So many that some may be locked by others at this moment, and passed over.
    """
    return f"""
        SELECT post.id, {lap} AS lap
        FROM verify_post post JOIN verify_batch batch ON batch.id = post.batch_id
        WHERE post.batch_id = (SELECT id FROM verify_batch WHERE state = 'open') AND {IN_PLAY}
            AND (post.posted_at, post.id) {side} (SELECT posted_at, id FROM start)
        ORDER BY post.posted_at DESC, post.id DESC LIMIT 32
    """  # noqa: S608


# Of a card: its post is open to votes or, where the answer is known, still settled.
CAN_BE_ANSWERED = f"""
    CASE lease.purpose WHEN 'vote' THEN {TAKES_VOTES} ELSE post.state = 'settled' END
"""

# An option that is on a card: dresses named since it was dealt are not.
ON_CARD = "(NOT option.named OR option.created_at <= lease.created_at)"

# How many cards somebody has in hand.
IN_HAND = f"""
    SELECT count(*) AS cards
    FROM verify_lease lease JOIN verify_post post ON post.id = lease.post_id
    WHERE lease.employee_id = %(employee)s AND lease.outcome = 'open' AND lease.expires_at > %(now)s
        AND {CAN_BE_ANSWERED}
"""  # noqa: S608

# A walk: on from the last post handed out, or from a random one, backwards in time, and round.
BACKWARDS = f"""
    WITH recent AS (
        SELECT post.posted_at, post.id
        FROM verify_lease lease JOIN verify_post post ON post.id = lease.post_id
        WHERE lease.employee_id = %(employee)s AND lease.created_at > %(visit)s AND lease.purpose = 'vote'
        ORDER BY lease.id DESC LIMIT 1
    ), random AS (
        SELECT post.posted_at, post.id
        FROM verify_post post JOIN verify_batch batch ON batch.id = post.batch_id
        WHERE batch.state = 'open' AND NOT EXISTS (SELECT FROM recent)
        ORDER BY md5(post.id || '-' || %(seed)s) LIMIT 1
    ), start AS (
        SELECT * FROM recent UNION ALL SELECT * FROM random
    ), in_hand AS ({IN_HAND}), walk AS (({_stretch(0, "<=")}) UNION ALL ({_stretch(1, ">")}))
    SELECT post.id
    FROM walk JOIN verify_post post ON post.id = walk.id
    ORDER BY walk.lap, post.posted_at DESC, post.id DESC
    LIMIT greatest(0, %(ahead)s - (SELECT cards FROM in_hand))
"""  # noqa: S608

# The post whose next vote most likely settles it; of equals the newest.
FINISH = f"""
    WITH in_hand AS ({IN_HAND}), nearest AS (
        SELECT post.id, post.closeness, post.posted_at
        FROM verify_post post JOIN verify_batch batch ON batch.id = post.batch_id
        WHERE post.batch_id = (SELECT id FROM verify_batch WHERE state = 'open') AND {IN_PLAY}
        ORDER BY post.closeness DESC, post.posted_at DESC, post.id DESC LIMIT 32
    )
    SELECT post.id
    FROM nearest JOIN verify_post post ON post.id = nearest.id
    ORDER BY nearest.closeness DESC, nearest.posted_at DESC, post.id DESC
    LIMIT greatest(0, %(ahead)s - (SELECT cards FROM in_hand))
"""  # noqa: S608

NEXT_POSTS = {"backwards": BACKWARDS, "finish": FINISH}

# Cards whose answer is known, as `PostQuerySet.gold` says: drawn at random from those that this person has
# neither seen nor decided, and that show as many options as most cards do now, or they could be told apart.
# Each missing card is one of them if the draw made for it says so.
DEAL_KNOWN = f"""
    WITH usual AS (
        SELECT mode() WITHIN GROUP (ORDER BY suggestion.shown) AS shown
        FROM verify_post post JOIN verify_batch batch ON batch.id = post.batch_id
            JOIN verify_suggestion suggestion ON suggestion.id = post.suggestion_id
        WHERE batch.state = 'open' AND {TAKES_VOTES}
    ), known AS (
        SELECT post.id FROM verify_post post WHERE post.settled_by_id IS NOT NULL
        UNION
        SELECT post.id FROM verify_look look JOIN verify_post post ON post.id = look.post_id
        WHERE look.clearance = 'cleared' AND look.cleared_by_id IS NOT NULL AND look.dress_id = post.dress_id
    )
    INSERT INTO verify_lease (post_id, employee_id, suggestion_id, outcome, purpose, created_at, expires_at)
    SELECT post.id, %(employee)s, post.suggestion_id, 'open', %(purpose)s, %(now)s, %(until)s
    FROM known JOIN verify_post post ON post.id = known.id
        JOIN verify_suggestion suggestion ON suggestion.id = post.suggestion_id
    WHERE post.state = 'settled' AND NOT post.was_disputed
        AND suggestion.shown = coalesce((SELECT shown FROM usual), suggestion.shown)
        AND post.settled_by_id IS DISTINCT FROM %(employee)s
        AND NOT EXISTS (
            SELECT FROM verify_look mine WHERE mine.post_id = post.id AND mine.cleared_by_id = %(employee)s
        )
        AND NOT EXISTS (
            SELECT FROM verify_lease mine WHERE mine.post_id = post.id AND mine.employee_id = %(employee)s
        )
        AND NOT EXISTS (
            SELECT FROM verify_vote mine WHERE mine.post_id = post.id AND mine.employee_id = %(employee)s
        )
    ORDER BY md5(post.id || '-' || %(seed)s)
    LIMIT greatest(0, least(
        (
            SELECT count(*) FILTER (WHERE draw)
            FROM unnest(%(draws)s::boolean[]) WITH ORDINALITY AS drawn (draw, place)
            WHERE place <= %(ahead)s - ({IN_HAND})
        ),
        %(most)s - (
            SELECT count(*) FROM verify_lease lease JOIN verify_post post ON post.id = lease.post_id
            WHERE lease.employee_id = %(employee)s AND lease.outcome = 'open' AND lease.expires_at > %(now)s
                AND lease.purpose <> 'vote' AND {CAN_BE_ANSWERED}
        )
    ))
    ON CONFLICT DO NOTHING
    RETURNING id
"""  # noqa: S608

HAND_OUT = f"""
    INSERT INTO verify_lease (post_id, employee_id, suggestion_id, outcome, purpose, created_at, expires_at)
    SELECT post.id, %(employee)s, post.suggestion_id, 'open', 'vote', %(now)s, %(until)s
    FROM verify_post post JOIN verify_batch batch ON batch.id = post.batch_id
    WHERE post.id = ANY(%(posts)s) AND {HAS_ROOM}
    ORDER BY array_position(%(posts)s, post.id)
    ON CONFLICT DO NOTHING -- the same person in another window
    RETURNING id
"""  # noqa: S608

# The cards in somebody's hands, oldest first.
CARDS = f"""
    SELECT
        lease.id, lease.post_id, lease.suggestion_id, lease.outcome, lease.purpose, lease.created_at,
        lease.expires_at, post.photo_id,
        json_build_object(
            'id', photo.id, 'token', photo.token, 'width', photo.width, 'height', photo.height
        ) AS photo,
        ARRAY(
            SELECT json_build_object(
                'option', json_build_object('id', option.id, 'dress_id', option.dress_id),
                'dress', json_build_object(
                    'id', dress.id, 'sku', dress.sku, 'title', dress.title, 'designer', dress.designer,
                    'category', dress.category, 'colour', dress.colour
                ),
                'cover_token', (
                    SELECT cover.token
                    FROM verify_dressphoto shown JOIN verify_photo cover ON cover.id = shown.photo_id
                    WHERE shown.dress_id = dress.id ORDER BY shown.position LIMIT 1
                )
            )
            FROM verify_option option JOIN verify_dress dress ON dress.id = option.dress_id
            WHERE option.suggestion_id = lease.suggestion_id AND {ON_CARD} ORDER BY option.rank
        ) AS offer
    FROM verify_lease lease
        JOIN verify_post post ON post.id = lease.post_id
        JOIN verify_photo photo ON photo.id = post.photo_id
    WHERE lease.employee_id = %(employee)s AND lease.outcome = 'open' AND lease.expires_at > %(now)s
        AND {CAN_BE_ANSWERED} AND lease.id <> ALL(%(held)s::bigint[])
    ORDER BY lease.id
"""  # noqa: S608

# A card to be answered. Everybody locks in this order: first the post, then the lease.
LOCK_CARD = f"""
    SELECT
        lease.id, lease.suggestion_id, lease.outcome, lease.purpose, lease.created_at, lease.expires_at,
        post.id AS post_id, post.state, post.posterior, post.votes_cast, post.votes_needed, post.closeness,
        post.audit, post.settles_at, post.suggestion_id AS post_suggestion_id, post.batch_id,
        voter.estimate AS reliability, voter.muted_at IS NOT NULL AS muted,
        (SELECT refit.vote_weight FROM verify_refit refit ORDER BY refit.id DESC LIMIT 1) AS vote_weight,
        ARRAY(
            SELECT option.dress_id FROM verify_option option
            WHERE option.suggestion_id = lease.suggestion_id AND {ON_CARD}
        ) AS dealt,
        (
            SELECT option.id FROM verify_option option
            WHERE option.dress_id = %(dress)s AND option.suggestion_id = lease.suggestion_id
        ) AS option_chosen
    FROM verify_lease lease JOIN verify_post post ON post.id = lease.post_id
        LEFT JOIN verify_reliability voter ON voter.employee_id = lease.employee_id
    WHERE lease.id = %(lease)s AND lease.employee_id = %(employee)s
    FOR NO KEY UPDATE OF post, lease
"""  # noqa: S608

# A vote, what its post says after it, and the card that it was cast on.
CAST = """
    WITH closed AS (
        UPDATE verify_lease SET outcome = 'voted' WHERE id = %(lease)s
    ), counted AS (
        UPDATE verify_post SET
            posterior = %(posterior)s::jsonb, votes_cast = %(votes_cast)s, votes_needed = %(votes_needed)s,
            closeness = %(closeness)s, settles_at = %(settles_at)s::timestamptz
        WHERE id = %(post_id)s
    )
    INSERT INTO verify_vote (
        post_id, employee_id, suggestion_id, answer, option_id, created_at, dealt_at, viewed_ms, counted
    ) VALUES (
        %(post_id)s, %(employee_id)s, %(suggestion_id)s, %(answer)s, %(option_id)s::bigint, %(created_at)s,
        %(dealt_at)s, %(viewed_ms)s::integer, %(counted)s
    )
    RETURNING id
"""

PROGRESS = f"""
    SELECT
        (
            SELECT count(*) FROM verify_vote vote
            WHERE vote.employee_id = %(employee)s AND vote.created_at >= %(midnight)s
        ) + (
            SELECT count(*) FROM verify_goldanswer known
            WHERE known.employee_id = %(employee)s AND known.created_at >= %(midnight)s
        ) AS today,
        count(*) FILTER (WHERE NOT (post.state = 'waiting' OR {TAKES_VOTES})) AS settled,
        count(*) AS total
    FROM verify_post post JOIN verify_batch batch ON batch.id = post.batch_id
    WHERE batch.id = %(batch)s OR (%(batch)s::bigint IS NULL AND batch.state = 'open')
"""  # noqa: S608


def run(sql: str, **values: Any) -> list[dict[str, Any]]:
    """The rows of a statement that returns some, as dicts."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def stored(model: type[Row], row: dict[str, Any], *columns: str, **values: Any) -> Row:
    """An instance as if fetched with ``only`` these columns of ``row``, or these values."""
    values |= {column: row[column] for column in columns}
    names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
    return model.from_db(DEFAULT_DB_ALIAS, names, [values[name] for name in names])
