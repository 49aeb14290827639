"""Django's PostgreSQL engine, with connections that are checked and counted."""
