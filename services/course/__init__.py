"""The course on protecting data: its contents, who passed it, who is late, who is reminded."""
