from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from verify import consensus
from verify.models.batch import Batch
from verify.models.catalogue import Dress
from verify.models.photo import Photo
from verify.models.post_queryset import Answer, PostQuerySet

if TYPE_CHECKING:
    from verify.models.employee import Employee
    from verify.models.look import Look
    from verify.models.reliability import Refit
    from verify.models.suggestion import Suggestion
    from verify.models.vote import Vote

RULE = consensus.Rule()
AUDIT_RULE = consensus.Rule(least_votes=consensus.AUDIT_VOTES)
INSTAGRAM = "instagram"  # the source of its posts, whatever edge of its API lists them


class Post(models.Model):
    """A photo that a customer posted, and what is known about it."""

    class Rights(models.TextChoices):
        UNKNOWN = "unknown"
        REQUESTED = "requested"
        GRANTED = "granted"
        REFUSED = "refused"
        REVOKED = "revoked"

    class Hidden(models.TextChoices):
        GONE = "gone", "gone at the source"
        OPT_OUT = "opt_out", "somebody asked for it to go"
        BLOCKED = "blocked", "its owner is blocked"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting for a suggestion"
        PROPOSED = "proposed", "open to votes"
        SETTLED = "settled"
        DISPUTED = "disputed", "for an admin to decide"
        SET_ASIDE = "set_aside", "set aside: it could not be classified"
        HELD = "held", "held back by a quality gate"

    UNFINISHED = [State.WAITING, State.PROPOSED]

    source = models.CharField(max_length=40, default=INSTAGRAM)
    external_id = models.CharField(max_length=120)
    permalink = models.URLField(max_length=500, blank=True)
    username = models.CharField(max_length=120, blank=True)
    caption = models.TextField(blank=True)
    posted_at = models.DateTimeField()
    media_type = models.CharField(max_length=20, default="IMAGE")
    like_count = models.PositiveIntegerField(null=True, blank=True)
    comments_count = models.PositiveIntegerField(null=True, blank=True)
    photo = models.ForeignKey(
        Photo,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="posts",
        help_text="None of a video that came without one: it is set aside.",
    )
    rights = models.CharField(max_length=10, choices=Rights, default=Rights.UNKNOWN)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_because = models.CharField(max_length=8, choices=Hidden, blank=True)
    erase_at = models.DateTimeField(null=True, blank=True, help_text="To be deleted when this time has come.")
    checked_at = models.DateTimeField(
        null=True, blank=True, help_text="When its source was last asked for it."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Times a worker took it up.")
    claimed_until = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(
        max_length=300, blank=True, help_text="Why it was set aside or held back, or is disputed."
    )

    suggestion = models.OneToOneField(
        "Suggestion", on_delete=models.SET_NULL, null=True, blank=True, related_name="current_for"
    )
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, blank=True, related_name="posts")
    posterior = models.JSONField(default=dict, help_text="Probability of each answer after the votes so far.")
    votes_cast = models.PositiveSmallIntegerField(default=0, help_text="Votes that the posterior rests on.")
    votes_needed = models.PositiveSmallIntegerField(
        default=0, help_text="Fewest further votes that can settle it; open leases never exceed it."
    )
    closeness = models.FloatField(default=0, help_text="How near it is to being settled: see `consensus`.")
    audit = models.BooleanField(
        default=False, help_text="Of the sample that always gets five votes, to check what we claim."
    )
    was_disputed = models.BooleanField(default=False, help_text="Harder than most, so never gold.")
    settles_at = models.DateTimeField(
        null=True, blank=True, help_text="Decided; settled when this time has come."
    )

    answer = models.CharField(max_length=16, choices=Answer, blank=True)
    dress = models.ForeignKey(Dress, on_delete=models.PROTECT, null=True, blank=True, related_name="posts")
    confidence = models.FloatField(
        null=True, blank=True, help_text="Posterior of the answer when it was settled."
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        "Employee",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="An admin who decided.",
    )

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ["-posted_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_post_per_source_and_id"),
            models.CheckConstraint(
                condition=Q(answer="dress", dress__isnull=False) | (~Q(answer="dress") & Q(dress=None)),
                name="post_names_a_dress_for_a_dress",
            ),
            models.CheckConstraint(
                condition=Q(state="settled", settled_at__isnull=False) & ~Q(answer="")
                | ~Q(state="settled") & Q(answer="", settled_at=None),
                name="settled_post_has_an_answer",
            ),
            models.CheckConstraint(
                condition=Q(photo__isnull=False) | Q(state="set_aside"), name="post_to_judge_has_a_photo"
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "-posted_at", "-id"], name="post_walk_of_a_batch"),
            models.Index(fields=["state", "-posted_at", "-id"], name="post_by_state"),
            models.Index(fields=["erase_at"], condition=Q(erase_at__isnull=False), name="post_to_erase"),
            models.Index(fields=["settles_at"], condition=Q(state="proposed"), name="post_due"),
            models.Index(
                F("batch"),
                F("closeness").desc(),
                F("posted_at").desc(),
                F("id").desc(),
                condition=Q(state="proposed", settles_at=None),
                name="post_nearest_of_a_batch",
            ),
        ]

    def __str__(self) -> str:
        return f"post {self.external_id}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        return Post.objects.filter(pk=self.pk).delete()

    @property
    def takes_votes(self) -> bool:
        return self.state == Post.State.PROPOSED and self.settles_at is None

    def open_to_votes(self, suggestion: "Suggestion") -> None:
        """Take ``suggestion`` as the options to vote on. Raises AlreadyInPlay."""
        Post.objects.propose({self: suggestion})

    def take(self, suggestion: "Suggestion", factors: Sequence[float], vote_weight: float) -> None:
        """The fields, unsaved, of a post that ``suggestion`` opens to votes, by what the re-fit learnt."""
        self.suggestion, self.state = suggestion, Post.State.PROPOSED
        self.claimed_until, self.trouble = None, ""
        self.audit = in_audit_sample(self.pk)
        self._weigh(suggestion.prior(factors), 0, timezone.now(), vote_weight)

    def count(self, answers: Collection[str], reliability: float, now: datetime, vote_weight: float) -> None:
        """Take in one more vote, for what it may mean; a deciding one can be undone for a while.

        The fields, unsaved: `VoteQuerySet.cast` stores them with the vote.
        """
        posterior = consensus.updated(self.posterior, answers, reliability, vote_weight)
        self._weigh(posterior, self.votes_cast + 1, now, vote_weight)

    def recount(self, now: datetime) -> None:
        """Weigh the stored votes anew, by what is known of the voters now."""
        Post.objects.recount([self], now)

    def weigh(
        self, suggestion: "Suggestion", cast: "Collection[tuple[Vote, float]]", refit: "Refit", now: datetime
    ) -> None:
        """The fields, unsaved, after the votes ``cast``, each with its voter's reliability."""
        named = suggestion.named()
        votes = [(vote.may_mean(named), reliability) for vote, reliability in cast]
        posterior = consensus.after(suggestion.prior(refit.prior_factors), votes, refit.vote_weight)
        self._weigh(posterior, len(votes), now, refit.vote_weight)

    @property
    def rule(self) -> consensus.Rule:
        return AUDIT_RULE if self.audit else RULE

    def _weigh(self, posterior: dict[str, float], votes: int, now: datetime, vote_weight: float) -> None:
        self.posterior, self.votes_cast = posterior, votes
        self.votes_needed = consensus.votes_needed(posterior, votes, self.rule, vote_weight)
        self.closeness = consensus.closeness(posterior, self.votes_needed)
        self.settles_at = None if self.votes_needed else now + settings.UNDO

    def truth_key(self) -> str:
        """The answer that somebody who sees this settled post's options should give."""
        offered = {option.dress_id for option in self.suggestion.options.all()}
        if self.dress_id is None:
            return str(self.answer)
        return consensus.dress_key(self.dress_id) if self.dress_id in offered else consensus.NONE_OF_THESE

    def reopen(self, now: datetime, batch: Batch | None) -> None:
        """Back to the voters of ``batch``, with the votes it has: what they said is in doubt."""
        self.state, self.answer, self.dress, self.confidence = Post.State.PROPOSED, "", None, None
        self.settled_at = self.settled_by = None
        self.batch = batch
        self.save(update_fields=[*CONCLUDED, "batch"])
        self._withdraw_confirmations()
        self.recount(now)

    def _withdraw_confirmations(self) -> None:
        """What was right or wrong is to be said anew."""
        self.votes.update(right=None, points=None, confirmed_at=None)

    def settle(self, now: datetime, save: bool = True) -> None:
        """Make what the votes have decided final: a verdict, or a case for an admin."""
        decision = consensus.decide(self.posterior, self.votes_cast, self.rule)
        if isinstance(decision, consensus.Verdict):
            self._conclude(decision.answer, decision.confidence, now)
        elif isinstance(decision, consensus.Escalate):
            self._dispute(f"{decision.votes} votes, and no answer sure enough.")
        else:  # decided by a rule that is no longer in force
            refit = apps.get_model("verify", "Refit").objects.current()
            self._weigh(self.posterior, self.votes_cast, now, refit.vote_weight)
        if save:
            self.save(update_fields=CONCLUDED)

    def dispute(self, trouble: str) -> None:
        """Leave it to an admin."""
        self._dispute(trouble)
        self.save(update_fields=CONCLUDED)

    def override(self, answer: str, dress: Dress | None, by: "Employee") -> None:
        """An admin's verdict, whatever the state and the votes; its look follows at once.

        Raises ValueError unless there is a ``dress`` if and only if ``answer`` is `Answer.DRESS`, and where
        there is no photo to judge.
        """
        if self.photo_id is None:
            raise ValueError(f"{self} has no photo to judge.")
        if (Answer(answer) == Answer.DRESS) != (dress is not None):
            raise ValueError(
                f"{answer!r} with {dress}: a dress belongs to the answer 'dress', and to no other."
            )
        with transaction.atomic():
            Post.objects.select_for_update().get(pk=self.pk)
            now = timezone.now()
            self._conclude(consensus.dress_key(dress.pk) if dress else answer, 1.0, now)
            self.settled_by, self.claimed_until = by, None
            self.save(update_fields=[*CONCLUDED, "claimed_until"])
            self._withdraw_confirmations()
            self.publish(now)

    def publish(self, now: datetime) -> "Look | None":
        """The look of this post, made, changed or taken away so that it says what the verdict says."""
        look: Look | None = apps.get_model("verify", "Look").objects.follow(self, now)
        return look

    def _conclude(self, answer: str, confidence: float, now: datetime) -> None:
        self.dress_id = consensus.dress_of(answer)
        self.answer = Answer.DRESS if self.dress_id else Answer(answer)
        self.state, self.confidence, self.settled_at = Post.State.SETTLED, confidence, now
        self.votes_needed, self.settles_at, self.settled_by, self.trouble = 0, None, None, ""
        self.attempts = 0  # later versions of the model begin to look at it

    def _dispute(self, trouble: str) -> None:
        self.state, self.trouble, self.was_disputed = Post.State.DISPUTED, trouble, True
        self.votes_needed, self.settles_at = 0, None


def in_audit_sample(pk: int) -> bool:
    """Whether this post always gets five votes: drawn once, and not to be guessed."""
    draw = salted_hmac("audit sample", str(pk)).digest()[:4]
    return int.from_bytes(draw) < settings.AUDIT_SHARE * 2**32


CONCLUDED = [
    *("state", "answer", "dress", "confidence", "settled_at", "settled_by"),
    *("trouble", "was_disputed", "votes_needed", "settles_at", "attempts"),
]
