"""ELF files: facts of executables, and object files made safe to link together."""
