"""The toolchain, and the CPython it builds."""
