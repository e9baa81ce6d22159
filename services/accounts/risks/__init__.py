"""Signs of an attack on an account, who is told of them, and what they lead to."""
