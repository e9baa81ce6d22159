"""Whose time an appointment takes."""

from uuid import UUID, uuid5

_BESIDE = UUID("7b0c4a52-5c6e-4f0e-9d8a-3a4f0c9a6c1e")
"""Made once, for these names alone; stored claims depend on it."""


def beside(clinician_id: UUID) -> UUID:
    """What a deliberate overbooking claims in place of the clinician: one more place, no second."""
    return uuid5(_BESIDE, clinician_id.hex)


def parties(
    clinician_id: UUID, patient_id: UUID, room_id: UUID | None, *, overbooked: bool
) -> list[UUID]:
    """Everybody and everything that an appointment claims, in one order for all.

    An overbooking shares the room with the appointment beside it.
    """
    if overbooked:
        return sorted((beside(clinician_id), patient_id))
    return sorted(one for one in (clinician_id, patient_id, room_id) if one is not None)
