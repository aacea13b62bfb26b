from django.apps import AppConfig


class DressportalConfig(AppConfig):
    name = "dressportal"
