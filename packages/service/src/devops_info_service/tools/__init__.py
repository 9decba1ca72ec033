"""What the tools of a platform test need beside their handlers: limits, faults, load on purpose."""
