"""The address of every photo."""

from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from verify import access
from verify.models import Photo

# Whatever the bytes were and wherever a browser opens them: a picture, and nothing that runs.
HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


@require_safe
def photo(request: HttpRequest, token: str, size: str) -> HttpResponseBase:
    """A copy of a photo, for who may see it; for anybody else there is no such address."""
    if size not in ("large", "small"):
        raise Http404
    shown = get_object_or_404(Photo.objects.with_publicity(), token=token)
    if not (shown.is_public or access.may_see(request.user, shown)):
        raise Http404
    if settings.MEDIA_BUCKET:
        response: HttpResponseBase = redirect(_file(shown, size).url)
        patch_cache_control(response, private=True, max_age=300)  # well under the signature's life
        return response
    etag = f'"{token}-{size}"'
    response = get_conditional_response(request, etag=etag) or _copy(_file(shown, size))
    response["ETag"] = etag
    readers = {"Cross-Origin-Resource-Policy": "cross-origin" if shown.is_public else "same-origin"}
    for name, value in (HARMLESS | readers).items():
        response[name] = value
    if shown.is_public:  # short, for it may be revoked
        patch_cache_control(response, public=True, max_age=600)
    else:
        patch_cache_control(response, private=True, max_age=86400, immutable=True)
    return response


def _file(shown: Photo, size: str) -> FieldFile:
    return shown.large if size == "large" else shown.small


def _copy(stored: FieldFile) -> FileResponse:
    """Of our own storage alone: a name that leads out of it is no file's."""
    try:
        file = stored.open("rb")
    except (FileNotFoundError, IsADirectoryError, SuspiciousFileOperation) as missing:
        raise Http404 from missing
    return FileResponse(file, filename=PurePath(stored.name).name, content_type="image/jpeg")
