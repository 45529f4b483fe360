"""The bus and the handing over of work, on a real NATS server."""
