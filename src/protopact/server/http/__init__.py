"""The registry on the network: the ASGI application, its connections and their limits, the serving process, logs."""
