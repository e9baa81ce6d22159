"""What other systems call back: the state service and the providers of messages."""
