"""Calling the user's model: in which mode, with which gradients, and what its errors mean."""
