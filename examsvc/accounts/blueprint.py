"""The blueprint that all pages about accounts share, and who may enter the pages of a competition's people."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("accounts", __name__, template_folder="templates")

PEOPLE = (
    "hr-officer",
    "council-chair",
    "council-secretary",
    "competent-authority",
    "system-administrator",
    "supervisor",
)
"""Roles that see who holds which role; who proposes and approves, the regulation says."""
