"""Changes of rights."""
