"""Livelihood services (民生服务)."""
