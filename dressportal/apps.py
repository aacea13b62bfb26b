from django.apps import AppConfig


class DressportalConfig(AppConfig):
    name = "dressportal"

    def ready(self) -> None:
        from dressportal import checks  # noqa: F401  (they register themselves, once models can be imported)
