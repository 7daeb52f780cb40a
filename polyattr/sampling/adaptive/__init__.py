"""Points on a path that are chosen as the integrand turns out."""
