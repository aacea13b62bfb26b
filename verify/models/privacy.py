"""What must not come back, who asked for something to go, and files that are to go with their rows."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from verify import identities, rights
from verify.models.post import Post


def digest_of(kind: str, key: str) -> str:
    """What is stored in the place of an id, an address or a name that is not to be known any more."""
    return salted_hmac(f"tombstone of {kind}", key, settings.PRIVACY_SECRET, algorithm="sha256").hexdigest()


def sha256_of_email(address: str) -> str:
    """As a shop may send it in the address's place."""
    return sha256(identities.email_key(address).encode()).hexdigest()


def digest_of_email(sha256_of_it: str) -> str:
    """What is stored of the e-mail address of somebody who reviewed a dress."""
    return digest_of("email", sha256_of_it)


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    def bury(self, posts: Iterable[Post], reason: "Tombstone.Reason", now: datetime) -> int:
        """Stones for the posts; those of people's wish or of the source also for their addresses.

        Whose owner said no goes by their wish, whatever else is the reason.
        """
        keys: dict[tuple[str, str], Tombstone.Reason] = {}
        for post in posts:
            why = Tombstone.Reason.ASKED if post.rights in rights.SAID_NO else reason
            keys["media", media_key(post.source, post.external_id)] = why
            if why in FOR_GOOD and (link := identities.permalink_key(post.permalink)):
                keys["permalink", link] = why
        stones = [
            Tombstone(kind=kind, digest=digest_of(kind, key), reason=why, at=now)
            for (kind, key), why in keys.items()
        ]
        self.bulk_create(stones, ignore_conflicts=True)
        return len(stones)

    def of_handle(self, handle: str) -> "Tombstone":
        """Raises DoesNotExist unless the user name is refused."""
        digest = digest_of("handle", identities.handle_key(handle))
        return self.get(kind=Tombstone.Kind.HANDLE, digest=digest)

    def block(self, handle: str, reason: "Tombstone.Reason", now: datetime, label: str = "") -> None:
        """Refuse what this user name posts from now on."""
        digest = digest_of("handle", identities.handle_key(handle))
        values = {"reason": reason, "label": label, "at": now}
        if reason in FOR_GOOD:  # then not even the shop's own block may say whom
            self.update_or_create(kind=Tombstone.Kind.HANDLE, digest=digest, defaults=values)
        else:
            self.get_or_create(kind=Tombstone.Kind.HANDLE, digest=digest, defaults=values)


class Tombstone(models.Model):
    """Something that is not taken in again; a keyed digest, so that nobody reads here what it was."""

    class Kind(models.TextChoices):
        MEDIA = "media", "a post"
        PERMALINK = "permalink", "an address"
        HANDLE = "handle", "a user name"

    class Reason(models.TextChoices):
        GONE = "gone", "gone at the source"
        ASKED = "asked", "its owner wanted it gone"
        BLOCKED = "blocked", "its owner is blocked"
        RETENTION = "retention", "its time was over"

    kind = models.CharField(max_length=10, choices=Kind)
    digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=10, choices=Reason)
    label = models.CharField(
        max_length=120, blank=True, help_text="The user name, where the shop itself blocks somebody."
    )
    at = models.DateTimeField()

    objects = TombstoneQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["kind", "digest"], name="one_tombstone_of_it")]

    def __str__(self) -> str:
        return (self.label and f"@{self.label}") or f"{self.get_kind_display()} {self.digest[:8]}"


FOR_GOOD = frozenset({Tombstone.Reason.GONE, Tombstone.Reason.ASKED})


def media_key(source: str, external_id: str) -> str:
    return f"{source}:{external_id}"


class OptOutQuerySet(models.QuerySet["OptOut"]):
    def open(self) -> "OptOutQuerySet":
        return self.filter(closed_at=None)


class OptOut(models.Model):
    """Somebody outside wants photos to go; an admin closes it."""

    class Outcome(models.TextChoices):
        ERASED = "erased", "deleted"
        KEPT = "kept", "not theirs: shown again"

    permalink = models.CharField(max_length=500, blank=True)
    handle = models.CharField(max_length=120, blank=True)
    email = models.EmailField(max_length=254)
    words = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(max_length=6, choices=Outcome, blank=True)
    hidden = models.ManyToManyField(Post, blank=True, related_name="opt_outs")

    objects = OptOutQuerySet.as_manager()

    class Meta:
        ordering = [models.F("closed_at").asc(nulls_first=True), "created_at"]
        verbose_name = "opt-out"
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="closed_opt_out_has_an_outcome",
            )
        ]

    def __str__(self) -> str:
        return f"opt-out of {self.created_at:%-d %B %Y}"


class FileToEraseQuerySet(models.QuerySet["FileToErase"]):
    def enlist(self, names: Iterable[str]) -> None:
        """In the transaction in which their rows go: whoever dies after it has left a note."""
        self.bulk_create([FileToErase(name=name) for name in names], ignore_conflicts=True)

    def erase(self) -> int:
        """Delete the files, then the notes; returns how many. One that is gone was deleted before."""
        count = 0
        for pk, name in list(self.values_list("pk", "name")):
            default_storage.delete(name)
            count += FileToErase.objects.filter(pk=pk).delete()[0]
        return count


class FileToErase(models.Model):
    """A stored file whose row is gone."""

    name = models.CharField(max_length=120, unique=True)

    objects = FileToEraseQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class WrittenExportQuerySet(models.QuerySet["WrittenExport"]):
    def note(self, path: Path) -> None:
        """In one statement."""
        self.bulk_create([WrittenExport(path=str(path.resolve()))], ignore_conflicts=True)


class WrittenExport(models.Model):
    """A file that an export wrote, so that what is deleted here can be deleted there."""

    path = models.CharField(max_length=500, unique=True)

    objects = WrittenExportQuerySet.as_manager()

    def __str__(self) -> str:
        return self.path
