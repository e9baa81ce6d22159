"""The registers that are asked who somebody is, and what they may do."""
