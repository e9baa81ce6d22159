"""Pages that all kinds of cases share: draft, attachments, case, timeline."""
