"""Every address of the console. Who may open which is in `console/access.py`."""

from django.urls import include, path

from cloud_bridge.api import pages as api_pages
from cloud_bridge.api.service import api
from cloud_bridge.console import (
    badge_views,
    due_views,
    helper_views,
    plan_views,
    recheck_views,
    settings_views,
    task_views,
    views,
)

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("people/", views.people, name="people"),
    path("people/<str:person_id>/", views.person, name="person"),
    path("people/<str:person_id>/reveal/", views.reveal, name="reveal"),
    path("records/<str:record_id>/", views.record, name="record"),
    path("helped/", helper_views.helped, name="helped"),
    path("rechecks/", recheck_views.recheck_list, name="rechecks"),
    path("rechecks/<int:recheck_id>/done/", recheck_views.close_recheck, name="recheck-done"),
    path(
        "people/<str:person_id>/template/withdraw/",
        recheck_views.withdraw_template,
        name="template-withdraw",
    ),
    path("rehearsals/", views.rehearsals, name="rehearsals"),
    path("rehearsals/<str:record_id>/", views.rehearsal, name="rehearsal"),
    path("tasks/", task_views.tasks, name="tasks"),
    path("tasks/take/", task_views.take_tasks, name="tasks-take"),
    path("tasks/<int:task_id>/", task_views.task, name="task"),
    path("tasks/<int:task_id>/close/", task_views.close_task, name="task-close"),
    path("tasks/<int:task_id>/reopen/", task_views.reopen_task, name="task-reopen"),
    path("due/", due_views.due_list, name="due"),
    path("due/call-list/", due_views.call_list, name="call-list"),
    path("plans/", plan_views.plan_list, name="plans"),
    path("plans/new/", plan_views.new_plan, name="plan-new"),
    path("plans/<int:plan_id>/", plan_views.plan, name="plan"),
    path("plans/<int:plan_id>/remove/", plan_views.remove_plan, name="plan-remove"),
    path("opinions/", views.opinions, name="opinions"),
    path("devices/", views.devices, name="devices"),
    path("devices/<str:kiosk_id>/settings/", settings_views.settings, name="settings"),
    path("devices/<str:kiosk_id>/settings/back/", settings_views.go_back, name="settings-back"),
    path("badges/", badge_views.badge_list, name="badges"),
    path("badges/<str:number>/", badge_views.badge, name="badge"),
    path("badges/<str:number>/reset/", badge_views.reset_badge, name="badge-reset"),
    path("badges/<str:number>/revoke/", badge_views.revoke_badge, name="badge-revoke"),
    path("quarantine/", views.quarantine, name="quarantine"),
    path("audit/", views.audit, name="audit"),
    path("api/v1/docs/", api_pages.documentation, name="api-docs"),
    path("api/v1/", api.urls),
    path("api/<path:rest>", api_pages.nothing_here, name="api-nothing"),
]

handler404 = "cloud_bridge.console.views.not_found"
handler403 = "cloud_bridge.console.views.forbidden"
handler500 = "cloud_bridge.console.views.failed"
