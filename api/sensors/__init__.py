"""Ground sensors over MQTT and as OGC SensorThings observations; events out over MQTT."""
