"""Forms as data: definitions, fields, identifiers, edits of drafts."""
