"""Django's ClickHouse engine over a pool that waits when all its clients work."""
