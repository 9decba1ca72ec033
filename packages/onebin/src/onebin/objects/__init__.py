"""ELF files: what an executable says of itself, and object files made safe to link."""
