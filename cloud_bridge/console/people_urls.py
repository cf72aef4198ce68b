"""Addresses of 生存认证: the list and what goes with it. Before those of one person."""

from django.urls import path

from cloud_bridge.console import export_views, people_views

urlpatterns = [
    path("people/", people_views.people, name="people"),
    path("people/regions/", people_views.regions, name="people-regions"),
    path("people/export/", export_views.export, name="people-export"),
    path("people/filters/", people_views.keep_filter, name="filter-keep"),
    path("people/filters/<int:filter_id>/drop/", people_views.drop_filter, name="filter-drop"),
]
