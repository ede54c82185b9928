"""Every table of every room, for migrations and for tests that make a database at once."""

from __future__ import annotations

import examsvc.accounts.models
import examsvc.applications.models
import examsvc.base.jobs
import examsvc.careers.models
import examsvc.competitions.models
import examsvc.ledger.models
import examsvc.marking.models
import examsvc.papers.models
import examsvc.results.models
import examsvc.sittings.models
from examsvc.base.database import Base

metadata = Base.metadata
