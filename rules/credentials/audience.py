"""Who may see a person's credentials (Q9). Asked by pages, API, lists and downloads alike."""

from uuid import UUID

from rules.access import Actor, Permission


def may_see_credentials(actor: Actor, owner_id: UUID, unit_id: UUID) -> bool:
    """Whether somebody may see the credentials of a person of this unit, and their files."""
    if actor.person_id == owner_id:
        return actor.may(Permission.KEEP_DOCUMENTS)
    return actor.may(Permission.VIEW_CREDENTIALS, unit_id) or actor.may(
        Permission.RELEASE_CREDENTIALS, unit_id
    )
