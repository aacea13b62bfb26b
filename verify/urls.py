from django.contrib.auth import views as auth
from django.urls import path

from verify.views import accounts, boards, photo, play

urlpatterns = [
    path("", play.play, name="play"),
    path("vote/", play.vote, name="vote"),
    path("undo/", play.undo, name="undo"),
    path("leaderboard/", boards.leaderboard, name="leaderboard"),
    path("login/", accounts.LoginView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("media/photos/<slug:token>/<slug:size>/", photo.photo, name="photo"),
]
