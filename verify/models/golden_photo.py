from collections.abc import Iterable

from django.db import models


class GoldenPhotoQuerySet(models.QuerySet["GoldenPhoto"]):
    def contents(self) -> set[str]:
        return set(self.values_list("content", flat=True))

    def freeze(self, contents: Iterable[str]) -> None:
        rows = (GoldenPhoto(content=content) for content in contents)
        self.bulk_create(rows, batch_size=1000, ignore_conflicts=True)


class GoldenPhoto(models.Model):
    """A photo on which versions of DeepDress were compared: none may ever be trained on it.

    Known by its content, so that it stays so when its post goes and somebody posts it again.
    """

    content = models.CharField(max_length=64, unique=True, help_text="sha256 of the large copy.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GoldenPhotoQuerySet.as_manager()

    def __str__(self) -> str:
        return f"golden photo {self.content[:8]}"
