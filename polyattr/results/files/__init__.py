"""The files of an attribution: how they are written, read, and checked against themselves."""
