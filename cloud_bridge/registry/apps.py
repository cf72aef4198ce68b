from django.apps import AppConfig


class RegistryApp(AppConfig):
    name = "cloud_bridge.registry"
    label = "registry"
