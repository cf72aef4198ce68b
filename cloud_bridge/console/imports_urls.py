"""Addresses of the files that are taken in."""

from django.urls import path

from cloud_bridge.console import imports_views

urlpatterns = [
    path("imports/", imports_views.import_list, name="imports"),
    path("imports/new/", imports_views.new_import, name="import-new"),
    path("imports/blank/<str:kind>.<str:form>", imports_views.blank, name="import-blank"),
    path("imports/<int:number>/", imports_views.show_import, name="import"),
    path("imports/<int:number>/apply/", imports_views.apply_import, name="import-apply"),
    path("imports/<int:number>/drop/", imports_views.drop_import, name="import-drop"),
    path("imports/<int:number>/undo/", imports_views.undo_import, name="import-undo"),
    path("imports/<int:number>/errors.csv", imports_views.errors, name="import-errors"),
    path("imports/<int:number>/missing.csv", imports_views.missing, name="import-missing"),
]
