"""How Django's cache and Channels speak to Redis."""

from typing import Any


def redis_cache(url: str, *, timeout_s: float) -> dict[str, Any]:
    """Give the entry of `CACHES`; `timeout_s` bounds each wait for the store."""
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "riskplatform",
        "OPTIONS": {
            # Pickle in a shared store is code execution for any writer there.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": timeout_s,
            "SOCKET_TIMEOUT": timeout_s,
            "IGNORE_EXCEPTIONS": True,
            "CONNECTION_POOL_CLASS": "perf.connections.redis_pool.CachePool",
            "CONNECTION_POOL_KWARGS": {
                "max_connections": 32,
                "timeout": timeout_s,
                "socket_keepalive": True,
                "client_name": "riskplatform",
            },
        },
    }


def channel_layers(url: str) -> dict[str, Any]:
    """Give `CHANNEL_LAYERS`: publish/subscribe, which recovers by itself."""
    layer = "channels_redis.pubsub.RedisPubSubChannelLayer"
    return {"default": {"BACKEND": layer, "CONFIG": {"hosts": [url]}}}
