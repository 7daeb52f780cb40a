"""Where rows come from: one way to read them, whatever they are kept in."""
