"""Who may do what. Views, API and admin ask here, and nowhere else.

=================  ========  ==================  =====
                   stranger  employee (active)   admin
=================  ========  ==================  =====
read the JSON API  yes       yes                 yes
see a public look  yes       yes                 yes
see any photo      no        yes                 yes
vote, skip, undo   no        yes                 yes
curate             no        no                  yes
=================  ========  ==================  =====
"""

from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AnonymousUser

from verify.models import Employee, Photo

User = Employee | AnonymousUser


def may_vote(user: User) -> bool:
    return user.is_authenticated and user.is_active


def may_curate(user: User) -> bool:
    return may_vote(user) and user.is_staff


def may_see(user: User, photo: Photo) -> bool:
    return may_vote(user) or Photo.objects.public().filter(pk=photo.pk).exists()


employee_required = user_passes_test(may_vote)
