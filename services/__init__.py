"""What the system does, one module a capability."""
