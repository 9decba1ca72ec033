"""The commands of the executable: a module each, imported when named."""
