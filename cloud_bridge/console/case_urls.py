"""Addresses of what is done about one person: 认证, 死亡, and how often people come."""

from django.urls import path

from cloud_bridge.console import (
    alert_views,
    certify_views,
    cycle_views,
    death_views,
    person_views,
)

urlpatterns = [
    path("people/<str:person_id>/", person_views.person, name="person"),
    path("people/<str:person_id>/reveal/", person_views.reveal, name="reveal"),
    path("people/<str:person_id>/certify/", certify_views.certify, name="certify"),
    path("people/<str:person_id>/death/", death_views.death, name="death"),
    path(
        "people/<str:person_id>/proofs/<int:proof_id>/void/",
        certify_views.void_proof,
        name="proof-void",
    ),
    path(
        "people/<str:person_id>/evidence/<int:evidence_id>/",
        certify_views.show_evidence,
        name="evidence",
    ),
    path("tasks/<int:task_id>/accept/", certify_views.accept_record, name="task-accept"),
    path("deaths/", death_views.death_list, name="deaths"),
    path("deaths/late/", death_views.late, name="deaths-late"),
    path("deaths/<int:report_id>/", death_views.death_report, name="death-report"),
    path("deaths/<int:report_id>/decide/", death_views.decide, name="death-decide"),
    path("deaths/<int:report_id>/undo/", death_views.undo, name="death-undo"),
    path("cycles/", cycle_views.cycles, name="cycles"),
    path("alerts/", alert_views.alerts, name="alerts"),
]
