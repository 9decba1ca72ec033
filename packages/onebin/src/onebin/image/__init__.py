"""OCI images as values: layers, documents and names. No file is opened in here."""
