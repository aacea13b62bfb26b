from django.contrib.auth import views as auth
from django.urls import path

from verify.views import accounts, afterwards, app, boards, fame, instagram, me, opt_out, photo, play

urlpatterns = [
    path("", play.play, name="play"),
    path("vote/", play.vote, name="vote"),
    path("undo/", play.undo, name="undo"),
    path("recent/", afterwards.recent, name="recent"),
    path("change/", afterwards.change, name="change"),
    path("name/", afterwards.name, name="name"),
    path("name/<int:vote>/", afterwards.name_page, name="name_page"),
    path("flag/", afterwards.flag, name="flag"),
    path("nominate/", afterwards.nominate, name="nominate"),
    path("name/search/", afterwards.dress_search, name="dress_search"),
    path("dresses/<int:dress>/photos/", afterwards.dress_photos, name="dress_photos"),
    path("leaderboard/", boards.leaderboard, name="leaderboard"),
    path("me/", me.me, name="me"),
    path("me/preferences/", me.preferences, name="preferences"),
    path("me/leave/", me.leave_add, name="leave_add"),
    path("me/leave/<int:pk>/remove/", me.leave_remove, name="leave_remove"),
    path("hall-of-fame/", fame.hall_of_fame, name="hall_of_fame"),
    path("login/", accounts.LoginView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("password/forgotten/", accounts.ForgottenView.as_view(), name="password_reset"),
    path("password/forgotten/sent/", accounts.SentView.as_view(), name="password_reset_done"),
    path("password/set/<uidb64>/<token>/", accounts.SetPasswordView.as_view(), name="password_reset_confirm"),
    path("password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("privacy/opt-out/", opt_out.OptOutView.as_view(), name="opt_out"),
    path("privacy/opt-out/done/", opt_out.OptOutDoneView.as_view(), name="opt_out_done"),
    path("instagram/webhook/", instagram.webhook, name="instagram_webhook"),
    path("manifest.webmanifest", app.manifest, name="manifest"),
    path("media/photos/<slug:token>/<slug:size>/", photo.photo, name="photo"),
]
