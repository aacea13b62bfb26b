from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import transaction
from django.db.models import CharField, Count, F, FloatField, Func, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_q.tasks import async_task

from verify import forgetting, suggest
from verify.admin.curated import CuratedAdmin, day, log_change, share, thumbnail
from verify.admin.decide import DecideQueue
from verify.admin.evidence import evidence_for, waits_for_label
from verify.admin.flags import FlaggedPostFilter
from verify.admin.gates import GatedPosts, GateFilter
from verify.admin.privacy import PersonPage, tell
from verify.admin.rights import RightsQueue, history_of
from verify.dashboard import proposed
from verify.models import Answer, Dress, Post, RightsChange, Tombstone, Vote
from verify.models.post_queryset import PostQuerySet
from verify.templatetags.captions import linked


class Leading(Func):
    """The largest of the probabilities of a posterior; null before there is one."""

    template = "(SELECT MAX(value::float) FROM jsonb_each_text(%(expressions)s))"
    output_field = FloatField()


def opinions() -> Coalesce:
    """How many different answers a post's votes give."""
    answer = Coalesce(Cast("option", CharField()), "answer")
    votes = Vote.objects.filter(post=OuterRef("pk")).order_by().values("post")
    return Coalesce(Subquery(votes.annotate(count=Count(answer, distinct=True)).values("count")), 0)


class VotesFilter(admin.SimpleListFilter):
    title = "votes"
    parameter_name = "votes"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("differ", "Disagreements first"), ("agree", "All agree"), ("none", "None yet")]

    def queryset(self, request: HttpRequest, posts: QuerySet[Post]) -> QuerySet[Post]:
        chosen = {"differ": {"opinions__gt": 1}, "agree": {"opinions": 1}, "none": {"votes_cast": 0}}
        return posts.filter(**chosen.get(self.value() or "", {}))


class ModelFilter(admin.SimpleListFilter):
    title = "dress among the model’s options"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("right", "Yes"), ("missed", "No")]

    def queryset(self, request: HttpRequest, posts: QuerySet[Post]) -> QuerySet[Post]:
        if self.value() not in ("right", "missed"):
            return posts
        judged = posts.filter(answer=Answer.DRESS, suggestion__isnull=False)
        return judged.filter(proposed()) if self.value() == "right" else judged.exclude(proposed())


class SetFilter(admin.SimpleListFilter):
    title = "options that DeepDress would need"
    parameter_name = "needed"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("more", "More than are shown"), ("enough", "As many, or fewer")]

    def queryset(self, request: HttpRequest, posts: QuerySet[Post]) -> QuerySet[Post]:
        more = Q(suggestion__set_size__gt=F("suggestion__shown"))
        if self.value() not in ("more", "enough"):
            return posts
        return posts.filter(more if self.value() == "more" else ~more, suggestion__set_size__isnull=False)


class LabelledAutocomplete(AutocompleteSelect):
    """As Django's, but that a screen reader hears its label."""

    @property
    def media(self) -> forms.Media:
        after = "admin/js/autocomplete.js"
        return super().media + forms.Media(js=[after, "admin-autocomplete.js"])


class PostForm(forms.ModelForm):
    """Rights, and a verdict that overrules the votes."""

    verdict = forms.ChoiceField(
        choices=[("", "As the votes say"), *Answer.choices],
        required=False,
        help_text="Settles the post at once, whatever the votes say.",
    )
    verdict_dress = forms.ModelChoiceField(
        Dress.objects.all(),
        required=False,
        label="Dress",
        widget=LabelledAutocomplete(Post._meta.get_field("dress"), admin.site),
        help_text="By SKU, title or designer.",
    )

    class Meta:
        model = Post
        fields = ["rights"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """What the page showed goes along: a verdict alone must not give rights that were taken meanwhile."""
        super().__init__(*args, **kwargs)
        self.fields["rights"].show_hidden_initial = True

    def clean_rights(self) -> str:
        stated, stored = self.cleaned_data["rights"], self.initial["rights"]
        shown = self.data.get(self.add_initial_prefix("rights"), stored)
        if stated == shown:
            return stored
        if stored not in (shown, stated):
            told = Post.Rights(stored).label
            raise forms.ValidationError(f"Somebody has set it to “{told}” meanwhile: open the page anew.")
        return stated

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        dress = cleaned.get("verdict_dress")
        if dress and not cleaned.get("verdict"):
            cleaned["verdict"] = Answer.DRESS
        if cleaned.get("verdict") == Answer.DRESS and not dress and "verdict_dress" not in self.errors:
            self.add_error("verdict_dress", "Which dress is it?")
        if dress and cleaned["verdict"] != Answer.DRESS:
            self.add_error("verdict_dress", "Leave this empty, or choose “a dress” as the verdict.")
        if cleaned.get("verdict") and self.instance.photo_id is None:
            self.add_error("verdict", "A video without a photo cannot be judged.")
        return cleaned


def set_rights(rights: Post.Rights) -> Callable[..., None]:
    @admin.action(description=f"Set rights to {rights.value}", permissions=["change"])
    @transaction.atomic
    def action(model_admin: admin.ModelAdmin, request: HttpRequest, posts: PostQuerySet) -> None:
        changed = RightsChange.objects.make(posts, rights, "Set by an admin.", request.user)
        log_change(request, changed, f"Rights: {rights.label}.")
        model_admin.message_user(request, f"{len(changed)} posts: rights {rights.value}.")

    action.__name__ = f"rights_{rights.value}"
    return action


@admin.register(Post)
class PostAdmin(DecideQueue, RightsQueue, PersonPage, GatedPosts, CuratedAdmin):
    form = PostForm
    list_display = [
        *("picture", "named", "status", "outcome", "certainty"),
        *("votes_cast", "needed", "rights", "in_batch"),
    ]
    list_display_links = ["picture", "named"]
    list_filter = [
        "state",
        VotesFilter,
        ModelFilter,
        SetFilter,
        FlaggedPostFilter,
        GateFilter,
        "answer",
        "rights",
        "audit",
        "media_type",
    ]
    list_select_related = ["photo", "dress", "batch", "suggestion"]
    search_fields = ["external_id", "username", "caption", "dress__sku", "dress__title"]
    fieldsets = [
        ("Decide", {"fields": [("verdict", "verdict_dress"), "rights", "rights_history", "hidden"]}),
        (
            "Where it stands",
            {"fields": ["status", "outcome", "settled_by", "settled_at", "batch", "attempts"]},
        ),
        ("Quality gates", {"fields": ["gate_table", "twins"]}),
        (
            "Post",
            {
                "fields": [
                    *("link", "username", "posted_at", "words", "media_type"),
                    *("like_count", "comments_count", "source", "external_id"),
                ]
            },
        ),
    ]
    readonly_fields = [
        *("source", "external_id", "link", "username", "posted_at", "words", "media_type"),
        *("like_count", "comments_count"),
        *("status", "batch", "outcome", "settled_by", "settled_at", "attempts", "gate_table", "twins"),
        *("rights_history", "hidden"),
    ]
    change_form_template = "admin/verify/post/change_form.html"
    actions = [*map(set_rights, Post.Rights), "try_again", "propose_anew", "let_through"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Post]:
        return super().get_queryset(request).annotate(leading=Leading(F("posterior")), opinions=opinions())

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        if request.GET.get("votes") == "differ":
            return [F("leading").asc(nulls_last=True), "-pk"]
        return ["-posted_at", "-pk"]

    def get_deleted_objects(self, posts: Any, request: HttpRequest) -> tuple[Any, Any, set[str], Any]:
        """Who may delete a post may delete its votes and its look with it, though neither alone."""
        rows, counts, _, protected = super().get_deleted_objects(posts, request)
        return rows, counts, set(), protected

    def delete_model(self, request: HttpRequest, post: Post) -> None:
        self.delete_queryset(request, Post.objects.filter(pk=post.pk))

    def delete_queryset(self, request: HttpRequest, posts: PostQuerySet) -> None:
        """For good: from exports, too, and no import brings them back."""
        tell(request, forgetting.erase(posts, Tombstone.Reason.ASKED))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if post := context.get("original"):
            context["evidence"] = evidence_for(post)
            context["waits_for_label"] = waits_for_label(post)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, post: Post, form: PostForm, change: bool) -> None:
        if "rights" in form.changed_data:
            RightsChange.objects.make([post], post.rights, "Set by an admin.", request.user)
        if answer := form.cleaned_data["verdict"]:
            post.override(answer, form.cleaned_data["verdict_dress"], request.user)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        told = []
        if "rights" in form.changed_data:
            told.append(f"Rights: {form.instance.get_rights_display()}.")
        if form.cleaned_data["verdict"]:
            told.append(f"Verdict: {said(form.instance)}.")
        return " ".join(told) or super().construct_change_message(request, form, formsets, add)

    @admin.display(description="photo")
    def picture(self, post: Post) -> SafeString | str:
        return thumbnail(post.photo.token if post.photo else None, f"Post {post.external_id}")

    @admin.display(description="post", ordering="posted_at")
    def named(self, post: Post) -> SafeString:
        name = f"@{post.username}" if post.username else post.external_id
        return format_html("{} <small>{}</small>", name, day(post.posted_at))

    @admin.display(description="state", ordering="state")
    def status(self, post: Post) -> SafeString:
        return format_html(
            '<span class="badge {}" title="{}">{}</span> <small>{}</small>',
            post.state,
            post.get_state_display(),
            post.state.replace("_", " "),
            post.trouble,
        )

    @admin.display(description="answer", ordering="answer")
    def outcome(self, post: Post) -> str:
        return said(post)

    @admin.display(description="sure", ordering="leading")
    def certainty(self, post: Any) -> SafeString | str:
        return share(post.confidence if post.confidence is not None else post.leading)

    @admin.display(description="options needed", ordering="suggestion__set_size")
    def needed(self, post: Post) -> str:
        return f"{post.suggestion.set_size:,}" if post.suggestion and post.suggestion.needs_more else ""

    @admin.display(description="batch", ordering="batch")
    def in_batch(self, post: Post) -> SafeString | str:
        if post.batch is None:
            return "–"
        url = reverse("admin:verify_batch_change", args=[post.batch_id])
        return format_html('<a href="{}">{}</a>', url, date_format(post.batch.opened_at, "j M"))

    @admin.display(description="history of the rights")
    def rights_history(self, post: Post) -> SafeString | str:
        return history_of(post)

    @admin.display(description="hidden")
    def hidden(self, post: Post) -> str:
        if post.hidden_at is None:
            return "–"
        erased = f"; deleted on {day(post.erase_at)}" if post.erase_at else ""
        return f"{post.get_hidden_because_display()}, since {day(post.hidden_at)}{erased}"

    @admin.display(description="caption")
    def words(self, post: Post) -> SafeString:
        return linked(post.caption)

    @admin.display(description="permalink")
    def link(self, post: Post) -> SafeString | str:
        if not post.permalink:
            return "–"
        return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', post.permalink, post.permalink)

    @admin.action(description="Try again to classify what was set aside", permissions=["change"])
    def try_again(self, request: HttpRequest, posts: PostQuerySet) -> None:
        self._send_back(
            request, posts.filter(state=Post.State.SET_ASIDE), suggest.try_again, "To be tried again."
        )

    @admin.action(description="Propose anew where nobody has voted", permissions=["change"])
    def propose_anew(self, request: HttpRequest, posts: PostQuerySet) -> None:
        proposed = posts.filter(state=Post.State.PROPOSED)
        self._send_back(request, proposed, suggest.propose_anew, "To be proposed anew.")

    @transaction.atomic
    def _send_back(
        self, request: HttpRequest, posts: PostQuerySet, send: Callable[[PostQuerySet], int], message: str
    ) -> None:
        pks = [post.pk for post in posts]
        count = send(Post.objects.filter(pk__in=pks))
        waiting = list(Post.objects.filter(pk__in=pks, state=Post.State.WAITING))
        log_change(request, waiting, message)
        async_task("verify.tasks.suggest_waiting")
        self.message_user(
            request, f"{count} posts wait for DeepDress; {len(pks) - count} stayed as they are."
        )


def said(post: Post) -> str:
    """The verdict in words."""
    return str(post.dress) if post.dress else post.get_answer_display() or "–"
