"""Rows that wait for a checkpoint have an attestation; the end of each chain in one is stored."""

import sqlalchemy as sa
from alembic import context, op

from crypto.key_ring import KeyRing
from rules.journal.checkpoints import Leaf, attested
from rules.journal.entries import GENESIS

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FILL = """
insert into journal_head (chain, position, hash)
select distinct on (e.chain) e.chain, e.position, e.hash
from journal_seal s
cross join lateral jsonb_array_elements(s.leaves) leaf
join journal_entry e on e.chain = (leaf ->> 1)::uuid and e.position = (leaf ->> 2)::integer
    and e.hash = decode(leaf ->> 3, 'hex')
where leaf ->> 0 = 'chain'
order by e.chain, e.position desc
"""
"""From existing checkpoints; entries that a restore has lost are in none of the chains."""


WAITING = """
select p.ctid::text as place, p.kind, p.ref, p.position, p.hash, e.previous_hash
from journal_pending p
left join journal_entry e on p.kind = 'chain' and e.chain = p.ref and e.position = p.position
"""


def upgrade() -> None:
    """Add the columns and the heads; rows that wait now are attested as the application's own."""
    for name, kind in (
        ("previous", sa.LargeBinary()),
        ("attestation", sa.LargeBinary()),
        ("refused", sa.Text()),
    ):
        op.add_column("journal_pending", sa.Column(name, kind, nullable=True))
    op.create_table(
        "journal_head",
        sa.Column("chain", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update on journal_head to {role}")
    op.execute(FILL)
    _attest()


def _attest() -> None:
    connection = op.get_bind()
    waiting = connection.execute(sa.text(WAITING)).all()
    if not waiting:
        return
    settings = context.config.attributes["settings"]
    ring = KeyRing.installed(settings.keys.get_secret_value(), settings.home)
    for place, kind, ref, position, digest, follows in waiting:
        previous = bytes(follows) if follows is not None else GENESIS
        leaf = Leaf(kind, ref, position, bytes(digest))
        connection.execute(
            sa.text(
                "update journal_pending set previous = :previous, attestation = :attestation"
                " where ctid = cast(:place as tid)"
            ),
            {
                "place": place,
                "previous": previous,
                "attestation": ring.attest(attested(leaf, previous)),
            },
        )


def downgrade() -> None:
    """Remove them: checkpoints then include whatever waits."""
    op.drop_table("journal_head")
    for name in ("previous", "attestation", "refused"):
        op.drop_column("journal_pending", name)
