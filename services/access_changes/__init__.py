"""Changes of rights: asked for, confirmed by a head, approved by information security (I7)."""
