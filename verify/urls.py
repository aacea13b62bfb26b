from django.contrib.auth import views as auth
from django.urls import path

from verify import views

urlpatterns = [
    path("", views.play, name="play"),
    path("vote/", views.vote, name="vote"),
    path("undo/", views.undo, name="undo"),
    path("leaderboard/", views.leaderboard, name="leaderboard"),
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("media/photos/<slug:token>/<slug:size>/", views.photo, name="photo"),
]
