"""Inputs of the command line: pictures, arrays and tables, read without running anything."""
