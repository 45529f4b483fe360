"""Government services (政务服务)."""
