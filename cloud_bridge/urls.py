"""Every address of the console. Who may open which is in `console/access.py`."""

from django.urls import include, path

from cloud_bridge.api import pages as api_pages
from cloud_bridge.api.service import api
from cloud_bridge.console import (
    account_views,
    badge_views,
    dashboard_views,
    door_views,
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
    path("sign-in/", door_views.sign_in, name="sign-in"),
    path("sign-in/code/", door_views.sign_in_code, name="sign-in-code"),
    path("sign-out/", door_views.sign_out, name="sign-out"),
    path("own/", door_views.own_account, name="own-account"),
    path("own/password/", door_views.own_password, name="own-password"),
    path("own/factor/", door_views.own_factor, name="own-factor"),
    path("own/factor/other/", door_views.other_phone, name="other-phone"),
    path("own/codes/", door_views.own_codes, name="own-codes"),
    path("accounts/", account_views.accounts, name="accounts"),
    path("accounts/<int:account_id>/", account_views.account, name="account"),
    path("accounts/<int:account_id>/switch/", account_views.switch, name="account-switch"),
    path(
        "accounts/<int:account_id>/password/", account_views.new_password, name="account-password"
    ),
    path("accounts/<int:account_id>/factor/", account_views.no_factor, name="account-factor"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("cloud_bridge.console.people_urls")),
    path("", include("cloud_bridge.console.case_urls")),
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
    path("dashboard/", dashboard_views.dashboard, name="dashboard"),
    path("dashboard/figures.csv", dashboard_views.dashboard_csv, name="dashboard-csv"),
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
    path("", include("cloud_bridge.console.imports_urls")),
    path("", include("cloud_bridge.console.outward_urls")),
    path("api/v1/docs/", api_pages.documentation, name="api-docs"),
    path("api/v1/", api.urls),
    path("api/<path:rest>", api_pages.nothing_here, name="api-nothing"),
]

handler404 = "cloud_bridge.console.views.not_found"
handler403 = "cloud_bridge.console.views.forbidden"
handler500 = "cloud_bridge.console.views.failed"
