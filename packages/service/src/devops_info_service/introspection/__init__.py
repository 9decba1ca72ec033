"""Facts about the process and the machine under it; nothing here knows HTTP."""
