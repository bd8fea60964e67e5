"""The first schema: model calls, sessions, turns, scores, drafts, disagreements."""

import sqlalchemy as sa
from alembic import op

from storage.base import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('model_calls',
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('profile', sa.String(length=60), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('prompt_hash', sa.String(length=80), nullable=False),
    sa.Column('outcome', sa.String(length=60), nullable=False),
    sa.Column('milliseconds', sa.Integer(), nullable=False),
    sa.Column('prompt_tokens', sa.Integer(), nullable=False),
    sa.Column('completion_tokens', sa.Integer(), nullable=False),
    sa.Column('cached_tokens', sa.Integer(), nullable=False),
    sa.Column('tokens_estimated', sa.Boolean(), nullable=False),
    sa.Column('cost', sa.Float(), nullable=True),
    sa.Column('session_id', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_model_calls'))
    )
    op.create_index(op.f('ix_model_calls_at'), 'model_calls', ['at'], unique=False)
    op.create_index(op.f('ix_model_calls_session_id'), 'model_calls', ['session_id'], unique=False)
    op.create_table('practice_sessions',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('trainee', sa.String(length=80), nullable=False),
    sa.Column('created_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('updated_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('mode', sa.String(length=20), nullable=False),
    sa.Column('persona_id', sa.String(length=80), nullable=False),
    sa.Column('persona_version', sa.Integer(), nullable=False),
    sa.Column('persona_hash', sa.String(length=64), nullable=False),
    sa.Column('persona', sa.JSON(), nullable=False),
    sa.Column('rubric_id', sa.String(length=80), nullable=False),
    sa.Column('rubric_version', sa.Integer(), nullable=False),
    sa.Column('seed', sa.Integer(), nullable=False),
    sa.Column('engine', sa.String(length=120), nullable=False),
    sa.Column('focus', sa.String(length=200), nullable=False),
    sa.Column('hints', sa.Boolean(), nullable=False),
    sa.Column('opening', sa.Text(), nullable=False),
    sa.Column('start_state', sa.JSON(), nullable=False),
    sa.Column('closing', sa.Text(), nullable=True),
    sa.Column('ending', sa.String(length=20), nullable=True),
    sa.Column('self_rating', sa.JSON(), nullable=True),
    sa.Column('parent_id', sa.String(length=40), nullable=True),
    sa.Column('parent_turn', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practice_sessions'))
    )
    op.create_index(op.f('ix_practice_sessions_trainee'), 'practice_sessions', ['trainee'], unique=False)
    op.create_table('drafts',
    sa.Column('session_id', sa.String(length=40), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['practice_sessions.id'], name=op.f('fk_drafts_session_id_practice_sessions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('session_id', name=op.f('pk_drafts'))
    )
    op.create_table('turns',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('session_id', sa.String(length=40), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('therapist', sa.Text(), nullable=False),
    sa.Column('therapist_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('client', sa.Text(), nullable=True),
    sa.Column('client_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('voice', sa.String(length=40), nullable=True),
    sa.Column('appraisal', sa.JSON(), nullable=True),
    sa.Column('ledger', sa.JSON(), nullable=True),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.Column('direction', sa.JSON(), nullable=True),
    sa.Column('checks', sa.JSON(), nullable=True),
    sa.ForeignKeyConstraint(['session_id'], ['practice_sessions.id'], name=op.f('fk_turns_session_id_practice_sessions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_turns')),
    sa.UniqueConstraint('session_id', 'key', name=op.f('uq_turns_session_id_key')),
    sa.UniqueConstraint('session_id', 'number', 'attempt', name=op.f('uq_turns_session_id_number_attempt'))
    )
    op.create_index('uq_turns_live', 'turns', ['session_id', 'number'], unique=True, sqlite_where=sa.text("status != 'withdrawn'"), postgresql_where=sa.text("status != 'withdrawn'"))
    op.create_table('disagreements',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('turn_id', sa.String(length=40), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['turn_id'], ['turns.id'], name=op.f('fk_disagreements_turn_id_turns'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_disagreements'))
    )
    op.create_table('turn_scores',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('turn_id', sa.String(length=40), nullable=False),
    sa.Column('fingerprint', sa.String(length=200), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('report', sa.JSON(), nullable=False),
    sa.Column('feedback', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['turn_id'], ['turns.id'], name=op.f('fk_turn_scores_turn_id_turns'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_turn_scores')),
    sa.UniqueConstraint('turn_id', 'fingerprint', name=op.f('uq_turn_scores_turn_id_fingerprint'))
    )

