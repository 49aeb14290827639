"""What sockets and streams are made of: history, tickets, limits, bounded outboxes."""
