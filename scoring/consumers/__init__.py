"""What the realtime process serves: sockets by route, and a stream of alerts."""
