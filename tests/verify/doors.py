"""Every address of the portal and everything that can be sent to it, with who may: a table for a test.

Its people: a stranger, somebody who has left (an admin, who could do most), somebody who only looks on, an
employee, a curator (who curates and edits neither people nor the queue), and an admin.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import uuid4

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests import make
from tests.verify.curation import TOLD
from verify.models import (
    Employee,
)

People = frozenset[str]
PERSON: dict[str, Callable[[], Employee | None]] = {
    "stranger": lambda: None,
    "deactivated": lambda: make.make_admin("fay", is_active=False),
    "read-only": lambda: make.make_employee("rita", read_only=True),
    "employee": lambda: make.make_employee("emil"),
    "curator": lambda: make.make_employee("cleo", is_staff=True),
    "admin": lambda: make.make_admin("ada"),
}
ANYBODY: People = frozenset(PERSON)
COLLEAGUES = ANYBODY - {"stranger", "deactivated"}
VOTERS = COLLEAGUES - {"read-only"}
CURATORS: People = frozenset({"curator", "admin"})
ADMINS: People = frozenset({"admin"})
NOBODY: People = frozenset()


class Door(NamedTuple):
    """An address to open or, with ``sent``, to send something to."""

    name: str
    who: People
    url: str
    sent: dict[str, Any] | None = None
    as_json: bool = False
    page: People = NOBODY  # of an action: who sees the list, and is led back there whatever is sent

    @property
    def stores(self) -> bool:
        return self.sent is not None and "logout" not in self.name


def door(name: str, who: People, *args: object, query: str = "", **more: Any) -> Door:
    return Door(name, who, reverse(name, args=args) + query, **more)


class Curation(NamedTuple):
    """Who may do what with the rows of a model, and with its actions."""

    see: People
    add: People
    change: People
    delete: People
    actions: dict[str, People]


READ_ONLY = Curation(CURATORS, NOBODY, NOBODY, NOBODY, {})
DONE_TASKS = Curation(ADMINS, NOBODY, ADMINS, ADMINS, {"resubmit_task": ADMINS})
RIGHTS = [f"rights_{word}" for word in ("unknown", "requested", "granted", "refused", "revoked")]
CURATION = {
    "verify_dress": Curation(*[CURATORS] * 4, {"retire": CURATORS, "sell_again": CURATORS}),
    "verify_team": Curation(*[CURATORS] * 4, {}),
    "verify_post": Curation(
        *(CURATORS, NOBODY, CURATORS, CURATORS),
        dict.fromkeys((*RIGHTS, "try_again", "propose_anew", "let_through"), CURATORS),
    ),
    "verify_look": Curation(CURATORS, NOBODY, CURATORS, NOBODY, {"clear": CURATORS, "refuse": CURATORS}),
    "verify_employee": Curation(
        *(ADMINS, ADMINS, ADMINS, NOBODY),
        dict.fromkeys(("deactivate", "reactivate", "invite_again", "unlock"), ADMINS),
    ),
    **{f"verify_{model}": READ_ONLY for model in ("batch", "vote", "calibration", *TOLD)},
    "verify_rightstemplate": Curation(*[CURATORS] * 4, {}),
    "verify_optout": Curation(CURATORS, NOBODY, CURATORS, NOBODY, {"erase": CURATORS, "keep": CURATORS}),
    "verify_tombstone": Curation(CURATORS, CURATORS, NOBODY, CURATORS, {}),
    "verify_source": Curation(*[CURATORS] * 4, dict.fromkeys(("run_now", "enable", "disable"), CURATORS)),
    "verify_instagramaccount": Curation(CURATORS, NOBODY, ADMINS, NOBODY, {"go_on": ADMINS}),
    "verify_modelversion": READ_ONLY._replace(actions={"promote": ADMINS, "revert": ADMINS}),
    "recommend_likeddream": READ_ONLY,
    "recommend_recommenderversion": READ_ONLY._replace(actions={"publish": ADMINS, "roll_back": ADMINS}),
    "recommend_interaction": READ_ONLY,
    "recommend_tally": READ_ONLY,
    "verify_apikey": Curation(ADMINS, ADMINS, ADMINS, NOBODY, {"revoke": ADMINS}),
    "django_q_schedule": Curation(*[ADMINS] * 4, {}),
    "django_q_success": DONE_TASKS,
    "django_q_failure": DONE_TASKS,
    "django_q_ormq": Curation(ADMINS, NOBODY, ADMINS, ADMINS, {}),
}

NO_PHOTOS = {"photos-TOTAL_FORMS": 0, "photos-INITIAL_FORMS": 0}
SCHEDULE = {"func": "verify.tasks.tick", "schedule_type": "D", "repeats": -1}
SCHEDULE |= {"next_run_0": "2026-06-01", "next_run_1": "12:00"}
PASSWORDS = {"password1": "another-passphrase", "password2": "another-passphrase", "usable_password": "true"}
NEW_PASSWORD = {"new_password1": "another-passphrase", "new_password2": "another-passphrase"}
NEW_PASSWORD |= {"old_password": "a-long-passphrase"}
API_KEY = {"name": "Till", "scopes": ["classify"], "requests_per_minute": 9, "photos_per_day": 9}
TEMPLATE = {"name": "Kindly", "text": "May we, {handle}? {hashtag}", "hashtag": "#Yes", "nameless": "you"}
ADDED = {
    "verify_dress": {"sku": "NEW", "title": "Ottilie", **NO_PHOTOS},
    "verify_team": {"name": "Atelier"},
    "verify_employee": {"username": "nora", **PASSWORDS},
    "verify_apikey": API_KEY,
    "verify_rightstemplate": TEMPLATE,
    "verify_tombstone": {"handle": "spammer"},
    "verify_source": {"kind": "tagged", "every_minutes": 90},
    "django_q_schedule": SCHEDULE,
}
CHANGED = {
    **ADDED,
    "verify_post": {"rights": "granted"},
    "verify_look": {"clearance": "cleared"},
    "verify_instagramaccount": {"new_token": "EAAfresh"},
    "verify_employee": {"username": "vera", "is_superuser": "on"},
    "django_q_ormq": {"key": "elsewhere", "lock_0": "2026-06-01", "lock_1": "12:00"},
}


def doors(at: SimpleNamespace) -> list[Door]:
    return [*open_doors(at), *portal(at), *admin_pages(at), *lists(at)]


def open_doors(at: SimpleNamespace) -> list[Door]:
    sku = at.dress.sku
    return [
        door("healthz", ANYBODY),
        door("readyz", ANYBODY),
        door("manifest", ANYBODY),
        door("instagram_webhook", NOBODY),  # Instagram's signature opens it, and no person
        door("instagram_webhook", NOBODY, sent={"object": "instagram"}, as_json=True),
        door("shop", ANYBODY),
        door("dresses", ANYBODY),
        door("product", ANYBODY, sku),
        door("review", ANYBODY, sku, sent=a_review()),
        door("opt_out", ANYBODY),
        door("opt_out", ANYBODY, sent={"handle": "ruby", "email": "ruby@x.example"}),
        door("opt_out_done", ANYBODY),
        door("dream_for_me", ANYBODY),
        door("rent", ANYBODY, sku, sent={"visitor": "a-random-visitor", "event": "2"}, as_json=True),
        door("photo", ANYBODY, at.look.post.photo.token, "small"),
        door("v1:dresses", ANYBODY),
        door("v1:dress", ANYBODY, sku),
        door("v1:dress-looks", ANYBODY, sku),
        door("v1:similar", ANYBODY, sku),
        door("v1:shop-look", ANYBODY, at.look.pk),
        door("v1:classify", NOBODY, sent={}),  # a key opens it, and no person
        door("v1:reviews", NOBODY, sent={}),
        door("v1:recommendations", ANYBODY, query="?visitor=a-visitor-of-16-letters"),
        door("v1:recommendations", NOBODY, query="?user=c-1042"),  # a key opens it, and no person
        door("v1:bulk-recommendations", NOBODY, query="?user=c-1042"),
        door("v1:bulk-similar", ANYBODY, query=f"?sku={sku}"),
        door("v1:bulk-shop", ANYBODY, query=f"?look={at.look.pk}"),
        door("v1:dreams", ANYBODY),
        door("v1:dream", ANYBODY, 0),
        door("v1:dream-picture", ANYBODY, 0),
        door("v1:dreams-for", ANYBODY, query="?visitor=a-visitor-of-16-letters"),
        door("v1:dreams-for", NOBODY, query="?user=c-1042"),  # a key opens it, and no person
        door("v1:interactions", ANYBODY, sent=told_by_a_page(sku), as_json=True),
        door("v1:schema", ANYBODY),
        door("api-docs", ANYBODY),
        Door("api/^.*/$", NOBODY, "/api/nothing/"),
        door("login", ANYBODY),
        door("logout", ANYBODY, query="?next=/dresses/", sent={}),
        door("password_reset", ANYBODY),
        door("password_reset", ANYBODY, sent={"email": "vera@office.example"}),
        door("password_reset_done", ANYBODY),
        door("password_reset_confirm", ANYBODY, "MQ", "a-b"),
    ]


def a_review() -> dict[str, Any]:
    """Each time another photo file: it is read to its end."""
    photo = SimpleUploadedFile("me.jpg", make.jpeg(), "image/jpeg")
    return {"client_id": str(uuid4()), "photo": photo, "consent": "on"}


def told_by_a_page(sku: str) -> dict[str, Any]:
    return {"visitor": "a-random-visitor", "events": [{"event": "1", "kind": "view", "sku": sku}]}


def portal(at: SimpleNamespace) -> list[Door]:
    days = {"first_day": "2026-12-21", "last_day": "2026-12-24"}
    return [
        door("play", COLLEAGUES),
        door("recent", COLLEAGUES),
        door("dress_photos", COLLEAGUES, at.dress.pk),
        door("leaderboard", COLLEAGUES),
        door("hall_of_fame", COLLEAGUES),
        door("dreams", COLLEAGUES),
        door("dream", COLLEAGUES, 0),
        door("dream_walk", COLLEAGUES),
        door("dream_film", COLLEAGUES),
        door("liked_dream", COLLEAGUES, f"{17:032x}"),
        door("photo", COLLEAGUES, at.photo.token, "large"),
        door("me", COLLEAGUES),
        door("preferences", COLLEAGUES, sent={"pseudonym": "Silk Moth"}),
        door("leave_add", COLLEAGUES, sent=days),
        door("leave_remove", COLLEAGUES, at.leave, sent={}),
        door("password_change", COLLEAGUES),
        door("password_change", COLLEAGUES, sent=NEW_PASSWORD),
        door("password_change_done", COLLEAGUES),
        door("vote", VOTERS, sent={"lease": at.lease, "choice": "not_a_dress"}),
        door("undo", VOTERS, sent={"lease": at.answered}),
        door("change", VOTERS, sent={"vote": at.vote, "choice": "not_a_dress"}),
        door("name_page", VOTERS, at.vote),
        door("dress_search", VOTERS, query="?q=dress"),
        door("name", VOTERS, sent={"vote": at.vote, "dress": at.dress.pk}),
        door("flag", VOTERS, sent={"lease": at.lease, "reason": "other"}),
        door("nominate", VOTERS, sent={"post": at.not_a_dress}),
        door("dream_like", VOTERS, 0, sent={"liked": "yes"}),
    ]


def admin_pages(at: SimpleNamespace) -> list[Door]:
    """Those that are not about the rows of one model, and those that a list has beside its own."""
    answer = {"post": at.disputed, "choice": "not_a_dress"}
    found = "?app_label=verify&model_name=post&field_name="
    return [
        door("admin:index", CURATORS),
        door("admin:login", ANYBODY),
        door("admin:logout", ANYBODY, query="?next=/dresses/", sent={}),
        door("admin:password_change", CURATORS),
        door("admin:password_change", CURATORS, sent=NEW_PASSWORD),
        door("admin:password_change_done", CURATORS),
        door("admin:autocomplete", CURATORS, query=f"{found}dress"),
        door("admin:autocomplete", ADMINS, query=f"{found}settled_by"),
        door("admin:jsi18n", CURATORS),
        door("admin:view_on_site", NOBODY, 1, 1),
        door("admin:app_list", CURATORS, "verify"),
        door("admin:app_list", ADMINS, "django_q"),
        door("admin:app_list", CURATORS, "recommend"),
        door("admin:recommend_report", CURATORS),
        door("admin:recommend_report_of", CURATORS, at.of["recommend_recommenderversion"]),
        Door("admin/(?P<url>.*)$", NOBODY, "/admin/nothing/"),
        door("admin:verify_decide", CURATORS),
        door("admin:verify_decide", CURATORS, query="?tab=audit"),
        door("admin:verify_decide", CURATORS, sent=answer),
        door("admin:verify_rights", CURATORS),
        door("admin:verify_rights", CURATORS, query="?tab=asked"),
        door("admin:verify_rights", CURATORS, sent=asked(at)),
        door("admin:verify_person", CURATORS),
        door("admin:verify_person", CURATORS, sent={"handle": "ruby", "deed": "forget", "sure": "on"}),
        door("admin:verify_clear", CURATORS),
        door("admin:verify_clear", CURATORS, query="?view=grid"),
        door("admin:verify_clear", CURATORS, sent={"look": at.of["verify_look"], "decision": "cleared"}),
        door("admin:verify_notice_done", CURATORS, at.of["verify_notice"], sent={}),
        door("admin:verify_voter", CURATORS, at.voter),
        door("admin:verify_voter_mute", CURATORS, at.unmuted, sent={"reason": "Why not?"}),
        door("admin:verify_voter_unmute", CURATORS, at.voter, sent={}),
        door("admin:verify_voter_active", ADMINS, at.voter, sent={"active": "no"}),
        door("admin:verify_employee_invite", ADMINS),
        door("admin:verify_employee_invite", ADMINS, sent={"text": "name,e-mail,team\nMal,mal@x.example,\n"}),
        door("admin:auth_user_password_change", ADMINS, at.voter),
        door("admin:auth_user_password_change", ADMINS, at.voter, sent=PASSWORDS),
    ]


def asked(at: SimpleNamespace) -> dict[str, Any]:
    return {"decision": "asked", "row": at.to_ask, "template": at.of["verify_rightstemplate"]}


def lists(at: SimpleNamespace) -> list[Door]:
    return [
        a_door
        for model, may in CURATION.items()
        for a_door in (*pages(model, may, at.of[model]), *actions(model, may, at.of[model]))
    ]


def pages(model: str, may: Curation, pk: object) -> list[Door]:
    name = f"admin:{model}"
    return [
        door(f"{name}_changelist", may.see),
        door(f"{name}_history", may.see, pk),
        door(f"{name}_change", may.see, pk),
        door(f"{name}_change", may.change, pk, sent=CHANGED.get(model, {})),
        door(f"{name}_add", may.add),
        door(f"{name}_add", may.add, sent=ADDED.get(model, {})),
        door(f"{name}_delete", may.delete, pk),
        door(f"{name}_delete", may.delete, pk, sent={"post": "yes"}),
        # Leads on to the page of the row, which asks again.
        Door(f"{listed(model)[1:]}<path:object_id>/", CURATORS, f"{listed(model)}{pk}/"),
    ]


def listed(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def actions(model: str, may: Curation, pk: object) -> list[Door]:
    """Deletion takes one row, the others take all: some of them will do."""
    every = list(apps.get_model(*model.rsplit("_", 1)).objects.values_list("pk", flat=True))
    chosen = {"delete_selected": [pk]}
    return [
        Door(
            *(f"{model} {action}", who, listed(model)),
            sent={"action": action, "_selected_action": chosen.get(action, every), "post": "yes"},
            page=may.see,
        )
        for action, who in (may.actions | {"delete_selected": may.delete}).items()
    ]
