"""Facts that the Linux kernel states: cgroups, capabilities, memory, network, mounts."""
