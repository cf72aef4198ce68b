"""Addresses for whoever is outside: everybody's pages, other systems' keys and webhooks."""

from django.urls import path

from cloud_bridge.console import outward_views, public_views

urlpatterns = [
    path("check/", public_views.receipt, name="public-receipt"),
    path("check/key/", public_views.published_key, name="public-key"),
    path("kiosks/", public_views.kiosks, name="public-kiosks"),
    path("when/", public_views.due, name="public-due"),
    path("api-clients/", outward_views.clients, name="api-clients"),
    path(
        "api-clients/<int:client_id>/revoke/",
        outward_views.revoke_client,
        name="api-client-revoke",
    ),
    path("webhooks/", outward_views.webhook_list, name="webhooks"),
    path("webhooks/<int:webhook_id>/", outward_views.webhook, name="webhook"),
    path("webhooks/<int:webhook_id>/switch/", outward_views.switch_webhook, name="webhook-switch"),
    path("webhooks/<int:webhook_id>/test/", outward_views.test_webhook, name="webhook-test"),
    path(
        "webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/resend/",
        outward_views.resend,
        name="webhook-resend",
    ),
]
