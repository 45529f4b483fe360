"""Three kinds of services (三类服务体系): packs by family and name."""
