"""What the gallery of the docs is made of: networks on real data, pictures, and readers' eyes."""
