"""Doors: one folder for each way in or out."""
