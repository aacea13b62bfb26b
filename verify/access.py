"""Who may do what. Views, API and admin ask here, and nowhere else.

=================  ========  =========  ==================  =====
                   stranger  read-only  employee (active)   admin
=================  ========  =========  ==================  =====
read the JSON API  yes       yes        yes                 yes
ask for deletion   yes       yes        yes                 yes
send a photo       yes       yes        yes                 yes
see a public look  yes       yes        yes                 yes
see any photo      no        yes        yes                 yes
see the portal     no        yes        yes                 yes
preferences, leave no        yes        yes                 yes
vote, skip, undo   no        no         yes                 yes
name, flag, praise no        no         yes                 yes
like a dream       no        no         yes                 yes
curate             no        no         no                  yes
delete a person    no        no         no                  yes
promote a model    no        no         no                  superuser
connect Instagram  no        no         no                  superuser
=================  ========  =========  ==================  =====

Who calls the API with a key that an admin has made is no person, and may what the key's scopes say.
"""

from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AnonymousUser

from verify.models import ApiKey, Employee, Photo

User = Employee | AnonymousUser


def may_look(user: User) -> bool:
    return user.is_authenticated and user.is_active


def may_vote(user: User) -> bool:
    return may_look(user) and not user.read_only


def may_curate(user: User) -> bool:
    return may_look(user) and user.is_staff


def may_promote(user: User) -> bool:
    """Whether this person decides which version of DeepDress proposes to everybody."""
    return may_curate(user) and user.is_superuser


def may_connect(user: User) -> bool:
    """Whether this person gives the portal a token of the shop's account on Instagram."""
    return may_curate(user) and user.is_superuser


def may_see(user: User, photo: Photo) -> bool:
    return may_look(user) or Photo.objects.public().filter(pk=photo.pk).exists()


def may_call(key: ApiKey | None, scope: str) -> bool:
    return key is not None and scope in key.scopes


employee_required = user_passes_test(may_look)
