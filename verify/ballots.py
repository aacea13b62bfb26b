"""The votes of the whole office as arrays, read from the database in four statements.

Rows come in PostgreSQL's binary format of COPY and are never Python objects: a million votes take a second.
"""

from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from verify.consensus import FLOOR, NAMED_SHARE
from verify.models.post import RULE
from verify.reliability import Ballots, BoolArray, FloatArray, IntArray

NOT_A_DRESS, NONE_OF_THESE, UNKNOWN = 0, -1, -2  # answers that are no dress's primary key
FIXED = 2  # the answers that every post has, after its dresses
HEADER, TRAILER = 19, 2  # bytes of COPY's binary format
KNOWN_WELL = 1e6  # gold answers of somebody whose reliability is not to be learnt

ANSWER = "CASE {0}.answer WHEN 'dress' THEN {1}.dress_id WHEN 'not_a_dress' THEN 0 ELSE -1 END"

VOTES = f"""
    SELECT
        vote.post_id, coalesce(vote.employee_id, 0), {ANSWER.format("vote", "option")},
        (vote.counted AND reliability.muted_at IS NULL)::int::bigint,
        extract(epoch FROM vote.dealt_at)::double precision
    FROM verify_vote vote
        LEFT JOIN verify_option option ON option.id = vote.option_id
        LEFT JOIN verify_reliability reliability ON reliability.employee_id = vote.employee_id
    ORDER BY vote.id
"""  # noqa: S608 (of constants)

VOTED_ON = "EXISTS (SELECT FROM verify_vote vote WHERE vote.post_id = post.id)"

POSTS = f"""
    SELECT
        post.id, suggestion.not_a_dress,
        CASE post.state WHEN 'settled' THEN {ANSWER.format("post", "post")} ELSE {UNKNOWN} END,
        (post.settled_by_id IS NOT NULL)::int::bigint, post.audit::int::bigint
    FROM verify_post post JOIN verify_suggestion suggestion ON suggestion.id = post.suggestion_id
    WHERE {VOTED_ON}
    ORDER BY post.id
"""  # noqa: S608

OPTIONS = f"""
    SELECT
        post.id, option.dress_id, option.probability, option.named::int::bigint,
        extract(epoch FROM option.created_at)::double precision
    FROM verify_post post JOIN verify_option option ON option.suggestion_id = post.suggestion_id
    WHERE {VOTED_ON}
    ORDER BY post.id, option.named, option.rank
"""  # noqa: S608

GOLD = """
    SELECT employee_id, count(*) FILTER (WHERE "right"), count(*)
    FROM verify_goldanswer
    WHERE NOT training AND employee_id IS NOT NULL
    GROUP BY employee_id ORDER BY employee_id
"""

Columns = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Office:
    """`Ballots`, and whose and what they are.

    After the voters in ``voters`` the ballots have some more: those of colleagues who are gone.
    """

    ballots: Ballots
    posts: IntArray  # (posts,) primary keys
    voters: IntArray  # primary keys of employees
    answers: IntArray  # (slots,) a dress's primary key, NOT_A_DRESS or NONE_OF_THESE
    verdict: IntArray  # (posts,) the slot of a settled post's answer, -1 where there is none
    by_admin: BoolArray  # (posts,) the verdict is an admin's
    audit: BoolArray  # (posts,)
    entries: IntArray  # (posts + 1,) offsets: the entries of the ballots are ordered by post, then by time
    vote: IntArray  # (entries,) which vote an entry is of
    votes: int

    def counted_votes(self) -> IntArray:
        """(posts,) how many votes weigh something; one that may mean several answers is one."""
        is_first = np.diff(self.vote, prepend=-1) != 0
        so_far = np.concatenate([[0], np.cumsum(is_first & self.ballots.counted)])
        return np.diff(so_far[self.entries])


@dataclass(frozen=True)
class _Answers:
    """The slots of all posts: for each its dresses, named ones last, then the two fixed answers."""

    first: IntArray
    dresses: IntArray  # (posts,) the number of them
    answers: IntArray  # (slots,)
    named_at: FloatArray  # (slots,) when a dress was named, -inf if it never was

    def find(self, post: IntArray, answer: IntArray) -> IntArray:
        """The slots of answers to posts, given by index; -1 where a post has no such answer."""
        fixed = self.first[post] + self.dresses[post] + (answer == NONE_OF_THESE)
        found = np.where((answer == NOT_A_DRESS) | (answer == NONE_OF_THESE), fixed, -1)
        for rank in range(self.dresses.max(initial=0)):
            slot = self._dress(post, rank)
            found = np.where(self.answers[slot] == answer, slot, found)
        return found

    def named_after(self, post: IntArray, dealt_at: FloatArray) -> tuple[IntArray, IntArray]:
        """Which cards (by index) were dealt before their post had a named dress, and the slots of these."""
        cards, slots = [np.empty(0, int)], [np.empty(0, int)]
        for rank in range(self.dresses.max(initial=0)):
            slot = self._dress(post, rank)
            later = (rank < self.dresses[post]) & (self.named_at[slot] > dealt_at)
            cards.append(np.flatnonzero(later))
            slots.append(slot[later])
        return np.concatenate(cards), np.concatenate(slots)

    def _dress(self, post: IntArray, rank: int) -> IntArray:
        """The slots of the posts' dresses of this rank, or of "not a dress" where there are not so many."""
        return np.asarray(self.first[post] + np.minimum(rank, self.dresses[post]))


def read() -> Office:
    """All votes. Those that came while the rest was read, or that hang on nothing, are left out."""
    votes = rows(VOTES, post=int, employee=int, answer=int, counted=int, dealt_at=float)
    posts = rows(POSTS, post=int, not_a_dress=float, answer=int, by_admin=int, audit=int)
    options = rows(OPTIONS, post=int, dress=int, probability=float, named=int, created_at=float)
    gold = rows(GOLD, employee=int, right=int, seen=int)
    options = _of(posts["post"], options)
    answers, prior, named = _slots(posts, options)
    entries, vote, slot, votes = _entries(answers, _of(posts["post"], votes))
    voters, voter = _voters(votes, gold)
    by_admin = posts["by_admin"] > 0
    verdict = _verdicts(answers, posts["answer"], by_admin)
    right, seen = _gold(voters, gold, int(voter.max(initial=-1)) + 1)
    ballots = Ballots(
        first=answers.first,
        prior=prior,
        slot=slot,
        voter=voter[vote],
        voters=len(seen),
        truth=np.where(by_admin, verdict, -1),
        gold_right=right,
        gold_seen=seen,
        counted=votes["counted"][vote] > 0,
        named=named,
    )
    found = (posts["post"], voters, answers.answers, verdict, by_admin, posts["audit"] > 0)
    return Office(ballots, *found, entries, vote, len(votes["post"]))


def rows(query: str, **columns: type) -> Columns:
    """The columns of a query: bigint (int) or double precision (float), none of them ever NULL."""
    layout = [("fields", ">i2")]
    for name, kind in columns.items():
        layout += [(f"size of {name}", ">i4"), (name, ">i8" if kind is int else ">f8")]
    data = bytearray()
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
        for block in copy:
            data += block
    size = np.dtype(layout).itemsize
    table = np.frombuffer(data, layout, (len(data) - HEADER - TRAILER) // size, HEADER)
    return {name: table[name].astype(kind) for name, kind in columns.items()}


def _of(posts: IntArray, table: Columns) -> Columns:
    """The rows whose post is one of ``posts``, with the post's index instead of its primary key."""
    index = np.searchsorted(posts, table["post"])
    kept = np.append(posts, -1)[index] == table["post"]
    return {name: column[kept] for name, column in {**table, "post": index}.items()}


def _slots(posts: Columns, options: Columns) -> tuple[_Answers, FloatArray, IntArray]:
    """The answers of all posts, their prior as `Suggestion.prior` has it, not corrected, and who joined."""
    count = len(posts["post"])
    dresses = np.bincount(options["post"], minlength=count)
    first = np.concatenate([[0], np.cumsum(dresses + FIXED)])
    slot = np.arange(len(options["post"])) + FIXED * options["post"]
    none = first[1:] - 1
    answers, named_at = np.full(first[-1], NOT_A_DRESS), np.full(first[-1], -np.inf)
    answers[slot], answers[none] = options["dress"], NONE_OF_THESE
    named = options["named"] > 0
    named_at[slot[named]] = options["created_at"][named]
    offered = np.bincount(options["post"], np.where(named, 0, options["probability"]), count)
    prior = np.empty(first[-1])
    prior[slot], prior[none - 1] = options["probability"], posts["not_a_dress"]
    prior[none] = 1 - posts["not_a_dress"] - offered
    prior = np.maximum(prior, FLOOR)
    prior[slot[named]] = 0
    if count:
        prior /= np.repeat(np.add.reduceat(prior, first[:-1]), dresses + FIXED)
    joined = np.column_stack([slot[named], none[options["post"][named]]])
    _join(prior, joined)
    return _Answers(first, dresses, answers, named_at), prior, joined


def _join(prior: FloatArray, joined: IntArray) -> None:
    """Give each named dress, in their order, its share of "none of these", as `consensus.joined`."""
    for slot, rest in joined.tolist():
        prior[slot] = prior[rest] * NAMED_SHARE
        prior[rest] -= prior[slot]


def _entries(answers: _Answers, votes: Columns) -> tuple[IntArray, IntArray, IntArray, Columns]:
    """The entries of the ballots, as offsets by post, votes and slots; and the votes that are left."""
    slot = answers.find(votes["post"], votes["answer"])
    votes = {name: column[slot >= 0] for name, column in votes.items()}
    none = np.flatnonzero(votes["answer"] == NONE_OF_THESE)
    cards, also = answers.named_after(votes["post"][none], votes["dealt_at"][none])
    vote = np.concatenate([np.arange(len(votes["post"])), none[cards]])
    slot = np.concatenate([slot[slot >= 0], also])
    order = np.lexsort((slot, vote, votes["post"][vote]))
    vote, slot = vote[order], slot[order]
    return np.searchsorted(votes["post"][vote], np.arange(len(answers.first))), vote, slot, votes


def _voters(votes: Columns, gold: Columns) -> tuple[IntArray, IntArray]:
    """Primary keys of the known voters; by vote the voter, where each unknown one of a post is another."""
    known = votes["employee"] > 0
    voters = np.union1d(votes["employee"][known], gold["employee"])
    voter = np.searchsorted(voters, votes["employee"])
    unknown = np.flatnonzero(~known)
    by_post = unknown[np.argsort(votes["post"][unknown], kind="stable")]
    _, start, count = np.unique(votes["post"][by_post], return_index=True, return_counts=True)
    voter[by_post] = len(voters) + np.arange(len(by_post)) - np.repeat(start, count)
    return voters, voter


def _verdicts(answers: _Answers, answer: IntArray, by_admin: BoolArray) -> IntArray:
    """The slots of the posts' verdicts; a dress of an admin's that was no option is "none of these"."""
    posts = np.arange(len(answer))
    slot = answers.find(posts, answer)
    elsewhere = by_admin & (slot < 0) & (answer != UNKNOWN)
    return np.where(elsewhere, answers.first[1:] - 1, slot)


def _gold(voters: IntArray, gold: Columns, count: int) -> tuple[FloatArray, FloatArray]:
    """Right and seen gold answers of all voters; the unknown ones are as reliable as `RULE` says."""
    seen = np.full(max(count, len(voters)), KNOWN_WELL)
    right = seen * RULE.reliability
    seen[: len(voters)] = right[: len(voters)] = 0
    place = np.searchsorted(voters, gold["employee"])
    right[place], seen[place] = gold["right"], gold["seen"]
    return right, seen
