"""Cars that overstay get the moment at which they count as gone, those of before there was one too.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_UNHEARD_AFTER_S = 604800


def upgrade() -> None:
    """Bring the schema here."""
    op.execute(f"""
        UPDATE bookings SET due_at = t1 + {_UNHEARD_AFTER_S}
        WHERE due_at IS NULL AND state = 'active' AND overstay = 1
    """)  # noqa: S608
