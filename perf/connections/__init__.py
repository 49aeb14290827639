"""Persistent connections: counted, limited, and replaced when they break."""
